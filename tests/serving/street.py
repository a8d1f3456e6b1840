"""A shop on gunicorn, LINE beside it, and nginx with TLS in front of both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from flask_lineconnect.testing.emulator import COMES_AGAIN
from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.testing.plugin import free_port

from .authority import Authority
from .names import LINE
from .names import ROOT
from .names import SHOP
from .names import environment
from .names import leading_here
from .nginx import Site
from .nginx import needed_nginx
from .nginx import running_nginx

#: Seconds in which a server must answer; the machine may have other things to do.
PATIENCE = 180.0
#: A thread for each open card, and some for everything else.
THREADS = 16


@dataclass(frozen=True)
class Served:
    """What was opened.

    :ivar shop: the shop's public address, perhaps with a path.
    :ivar port: the shop's own, behind nginx.
    """

    shop: str
    line: Emulator
    port: int


@contextmanager
def open_street(
    folder: Path,
    authority: Authority,
    ports: Mapping[str, int],
    *,
    app: str = "tests.serving.demo:make_app()",
    settings: Mapping[str, str],
    path: str = "",
    shop_name: str = SHOP,
    line_name: str = LINE,
) -> Iterator[Served]:
    """Serve a shop and LINE under their names, over TLS.

    :param ports: of this machine, by the names of hosts; the shop's and LINE's is one.
    :param app: what gunicorn loads.
    :param settings: Flask's, as text; what joins the shop to LINE is added.
    :param path: the path below which the shop lies, such as ``/shop``.
    """
    needed_nginx()
    shop_port, line_port = free_port(), free_port()
    given = environment(authority, ports)
    sites = [Site(shop_name, shop_port, f"{path}/"), Site(line_name, line_port)]
    with ExitStack() as street:
        street.enter_context(leading_here(authority, ports))
        street.enter_context(running_nginx(folder / "nginx", authority, ports[shop_name], sites))
        command = [sys.executable, "-m", "tests.serving.line", str(line_port)]
        street.enter_context(_running(command, given))
        line = Emulator(f"https://{line_name}")
        _wait_for(f"{line.url}/_emulator/health")
        base_url = f"https://{shop_name}{path}"
        line.set_up(base_url=base_url, messaging_channel=COMES_AGAIN)
        wanted = {**settings, **line.settings(base_url), "SESSION_COOKIE_SECURE": "true"}
        as_variables = {f"FLASK_{name}": value for name, value in wanted.items()}
        street.enter_context(_running(_gunicorn(app, shop_port), {**given, **as_variables}))
        _wait_for(f"{base_url}/")
        yield Served(base_url, line, shop_port)


def _gunicorn(app: str, port: int) -> list[str]:
    program = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    kind = ["--worker-class", "gthread", "--threads", str(THREADS), "--graceful-timeout", "5"]
    return [*program, *kind, "--log-level", "warning", app]


@contextmanager
def _running(command: list[str], variables: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=dict(variables), cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str) -> None:
    """Wait until a server behind nginx answers; nginx itself says 502 until then."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = requests.get(url, timeout=PATIENCE, verify=os.environ["REQUESTS_CA_BUNDLE"])
        if answer.status_code < 500:
            return
        assert time.monotonic() < deadline, f"{url}: {answer.status_code}"
        time.sleep(0.1)
