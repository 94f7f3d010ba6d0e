"""The faked APIs. A new API is a folder here, its schemas and models, and a name in `ALL`."""

from mock_server.apis.acedata import ACEDATA
from mock_server.apis.rivya import RIVYA

ALL = (RIVYA, ACEDATA)
"""Every faked API, in the order of lists."""
