"""Names of hosts that lead to this machine, without a word in ``/etc/hosts``.

Here by :func:`leading_here`; in processes that we start by ``names_at_start/sitecustomize.py``,
which Python reads by itself; in Chromium by a flag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .authority import Authority
from .names_at_start import sitecustomize

ROOT = Path(__file__).parents[2]
#: Two hosts of one site, as a frame of the phone page demands, and one of another site.
SHOP = "shop.street.example"
LINE = "line.street.example"
FOREIGN_LINE = "line.example"
ALL = (SHOP, LINE, FOREIGN_LINE)


def environment(authority: Authority, port: int) -> dict[str, str]:
    """Return what a process must have so that the names lead to a port, and are trusted."""
    at_start = Path(sitecustomize.__file__).parent
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(at_start), str(ROOT)]),
        sitecustomize.VARIABLE: " ".join(f"{name}={port}" for name in ALL),
        "REQUESTS_CA_BUNDLE": str(authority.ca),
        "SSL_CERT_FILE": str(authority.ca),
    }


@contextmanager
def leading_here(authority: Authority, port: int) -> Iterator[None]:
    """Let the names lead to a port in this process, too, until the block ends."""
    wanted = environment(authority, port)
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: wanted[name] for name in names})
    undo = sitecustomize.lead(dict.fromkeys(ALL, port))
    try:
        yield
    finally:
        undo()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def chromium_flags(authority: Authority, port: int) -> list[str]:
    """Return the flags with which Chromium finds the names, and trusts our server's key alone."""
    rules = ",".join(f"MAP {name} 127.0.0.1:{port}" for name in ALL)
    return [
        f"--host-resolver-rules={rules}",
        f"--ignore-certificate-errors-spki-list={authority.spki}",
    ]
