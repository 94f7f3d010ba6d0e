"""Sends requests with the certificates and the proxy of a run, and names what went wrong."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import LocationValueError

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CERTIFICATE_REASON = re.compile(r"certificate verify failed: ([^(]+?) *\(_ssl")


class CertificatesError(ValueError):
    """The certificates to trust cannot be read. The message names the option or the variable."""


class Network(HTTPAdapter):
    """The adapter that sends. ca_bundle: a file with the certificates to trust, or None."""

    def __init__(self, ca_bundle: str | None, *, uses_proxy: bool) -> None:
        """uses_proxy: send through the proxies that HTTPS_PROXY and HTTP_PROXY name."""
        super().__init__(pool_connections=8, pool_maxsize=32)
        self._verify = ca_bundle or True
        self._uses_proxy = uses_proxy

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        """Send one request."""
        how["verify"] = self._verify
        how["proxies"] = get_environ_proxies(request.url or "") if self._uses_proxy else {}
        try:
            return super().send(request, **how)
        except LocationValueError as error:  # the URL of a proxy, for example
            raise requests.exceptions.InvalidURL(error) from error
        except UnicodeError as error:
            raise requests.exceptions.InvalidHeader(error) from error


def ca_bundle_of(given: str | None, environment: Mapping[str, str]) -> str | None:
    """The file with the certificates to trust: that of --ca-bundle, or of a variable.

    Raises CertificatesError if it cannot be read.
    """
    named = {"--ca-bundle": given} | {name: environment.get(name) for name in _CA_VARIABLES}
    for name, path in named.items():
        if path:
            try:
                ssl.create_default_context(cafile=path)
            except ssl.SSLError as error:
                raise CertificatesError(f"{name}: {path} has no certificates (PEM)") from error
            except OSError as error:
                raise CertificatesError(f"{name}: {path}: {error.strerror}") from error
            return str(Path(path).absolute())
    return None


def reason_of(error: requests.RequestException, url: str) -> str:
    """Why a request to this URL had no answer."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc}"
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        found = _CERTIFICATE_REASON.search(text)
        why = f" ({found[1]})" if found else ""
        return (
            f"the certificate of {where} is not trusted{why}; --ca-bundle FILE names the "
            "certificates to trust"
        )
    if isinstance(error, requests.exceptions.SSLError):
        return f"no TLS connection to {where}: does it speak http://?"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy does not connect to {where}"
    if isinstance(error, requests.exceptions.InvalidHeader):
        return f"no request can be sent to {where}: the key has characters that no header can have"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return f"no request can be sent to {where}: HTTPS_PROXY or HTTP_PROXY is no http:// URL"
    if isinstance(error, requests.Timeout):
        return f"no server answers at {where}: it was silent until the time limit"
    return f"no server answers at {where}: {type(error).__name__}"
