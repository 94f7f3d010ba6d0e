"""Runs nginx and HAProxy with the configurations of `deploy/`, on free ports of this machine."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"


def program(name: str) -> str | None:
    """The path of a proxy's program: that of the development environment, or an installed one."""
    package = find_spec(f"{name}_wheel")
    if package is not None and package.origin is not None:
        packed = sorted(Path(package.origin).parent.glob(f"bin/*/{name}"))
        if packed:
            return str(packed[0])
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


def free_port() -> int:
    """A port of this machine that nobody listens at. Systems give ports so low to no outgoing
    connection, so it is still free when a process that has ended is started again."""
    while True:
        port = secrets.choice(range(12_000, 32_000))
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port


def accepting(port: int, running: subprocess.Popen[bytes]) -> socket.socket:
    """A connection to the proxy, as soon as it listens."""
    while running.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            os.sched_yield()
    raise AssertionError(f"the proxy ended with {running.returncode}")


def command_of(name: str, folder: Path, port: int, ports: list[int]) -> list[str]:
    """The command that runs `nginx` or `haproxy` in the foreground. It writes into `folder`.
    port: of the proxy. ports: of the processes, by their shards."""
    return _nginx(folder, port, ports) if name == "nginx" else _haproxy(folder, port, ports)


def _configuration(file: str, port: int, ports: list[int]) -> str:
    """A configuration of `deploy/`, with these ports in place of the names of services."""
    text = (DEPLOY / file).read_text("utf-8")
    for number, each in enumerate(ports):
        text = text.replace(f"w{number}:4010", f"127.0.0.1:{each}")
    return re.sub(r"(listen |bind :)4010", lambda found: f"{found[1]}{port}", text)


def _nginx(folder: Path, port: int, ports: list[int]) -> list[str]:
    text = _configuration("nginx/nginx.conf", port, ports)
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {name}_temp_path {folder}/{name};\n" for name in paths)
    text = text.replace("http {\n", "http {\n" + temporary, 1)
    text = text.replace(f"listen {port}", f"listen 127.0.0.1:{port}")
    path = folder / "nginx.conf"
    path.write_text(text, "utf-8")
    options = f"daemon off; pid {folder}/pid; error_log stderr;"
    return [
        str(program("nginx")),
        "-p",
        str(folder),
        "-c",
        str(path),
        "-g",
        options,
        "-e",
        "stderr",
    ]


def _haproxy(folder: Path, port: int, ports: list[int]) -> list[str]:
    text = _configuration("haproxy/haproxy.cfg", port, ports)
    text = text.replace("/usr/local/etc/haproxy", str(DEPLOY / "haproxy"))
    text = text.replace(f"bind :{port}", f"bind 127.0.0.1:{port}")
    path = folder / "haproxy.cfg"
    path.write_text(text, "utf-8")
    return [str(program("haproxy")), "-db", "-f", str(path)]
