"""nginx from the distribution: terminates TLS in front of other servers, as in production."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .authority import Authority

#: Seconds that it may take to start, or to stop.
PATIENCE = 60.0
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Site:
    """What nginx passes on: a name, a path with a slash at its end, and a port behind it."""

    name: str
    port: int
    path: str = "/"


def find_nginx() -> str | None:
    """Return where nginx is; Debian keeps it away from people's paths."""
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


def needed_nginx() -> str:
    """Return where nginx is, or skip the test."""
    program = find_nginx()
    if program is None:
        pytest.skip("nginx is not installed; on Debian: apt install nginx-light")
    return program


@contextmanager
def running_nginx(
    folder: Path, authority: Authority, port: int, sites: Sequence[Site]
) -> Iterator[None]:
    """Run nginx on a port of this machine until the block ends."""
    servers = "\n".join(_server(site, port) for site in sites)
    with running_servers(folder, authority, port, servers):
        yield


@contextmanager
def running_servers(folder: Path, authority: Authority, port: int, servers: str) -> Iterator[None]:
    """Run nginx with servers as its files write them, one of which is at a port."""
    program = needed_nginx()
    folder.mkdir()
    (folder / "nginx.conf").write_text(_configuration(folder, authority, servers))
    arguments = ["-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    server = subprocess.Popen([program, *arguments])
    try:
        _wait(server, port, folder)
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _configuration(folder: Path, authority: Authority, servers: str) -> str:
    # Workers of a server that root starts would be somebody who can't read the folder.
    user = "user root;" if os.getuid() == 0 else ""
    temporary = "\n".join(f"  {kind}_temp_path {folder}/{kind};" for kind in _KINDS)
    return f"""
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log off;
{temporary}
  ssl_certificate {authority.chain};
  ssl_certificate_key {authority.key};
  proxy_http_version 1.1;
  proxy_read_timeout 120s;
{servers}
}}
"""


def _server(site: Site, port: int) -> str:
    prefix = site.path.rstrip("/")
    return f"""
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name {site.name};
    location {site.path} {{
      proxy_pass http://127.0.0.1:{site.port}/;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Prefix "{prefix}";
    }}
  }}"""


def _wait(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((folder / "error.log").read_text()) from None
            time.sleep(0.02)
        else:
            return
