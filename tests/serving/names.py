"""Names of hosts that lead to this machine, without a word in ``/etc/hosts``.

Here by :func:`leading_here`; in processes that we start by ``names_at_start/sitecustomize.py``,
which Python reads by itself; in Chromium by a flag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

from .authority import Authority
from .names_at_start import sitecustomize

ROOT = Path(__file__).parents[2]
#: Two hosts of one site, as a frame of the phone page demands, and one of another site.
SHOP = "shop.street.example"
LINE = "line.street.example"
#: A shop below a path of its host, and LINE as another site.
SHOP_BELOW = "shop.below.example"
FOREIGN_LINE = "line.example"
#: One port for each, since one test process may have both open at a time.
STREETS = ((SHOP, LINE), (SHOP_BELOW, FOREIGN_LINE))
ALL = tuple(name for street in STREETS for name in street)


def environment(authority: Authority, ports: Mapping[str, int]) -> dict[str, str]:
    """Return what a process must have so that the names lead to ports, and are trusted."""
    at_start = Path(sitecustomize.__file__).parent
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(at_start), str(ROOT)]),
        sitecustomize.VARIABLE: " ".join(f"{name}={port}" for name, port in ports.items()),
        "REQUESTS_CA_BUNDLE": str(authority.ca),
        "SSL_CERT_FILE": str(authority.ca),
    }


@contextmanager
def leading_here(authority: Authority, ports: Mapping[str, int]) -> Iterator[None]:
    """Let the names lead to ports in this process, too, until the block ends."""
    wanted = environment(authority, ports)
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: wanted[name] for name in names})
    undo = sitecustomize.lead(dict(ports))
    try:
        yield
    finally:
        undo()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def chromium_flags(authority: Authority, ports: Mapping[str, int]) -> list[str]:
    """Return the flags with which Chromium finds the names, and trusts our server's key alone."""
    rules = ",".join(f"MAP {name} 127.0.0.1:{port}" for name, port in ports.items())
    return [
        f"--host-resolver-rules={rules}",
        f"--ignore-certificate-errors-spki-list={authority.spki}",
    ]
