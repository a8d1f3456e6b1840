"""Addresses as the browser knows them, also of a shop that lies below a path of its host."""

from __future__ import annotations

from urllib.parse import quote
from urllib.parse import unquote

from flask import request

#: What stands for itself in a path. Source: RFC 3986, section 3.3.
_PLAIN = "/!$&'()*+,:;=@~"


def here() -> str:
    """Return the path of the current request, with the one below which the shop lies.

    It is spelled as the browser did, if the server tells: decoded, a slash or a question mark of a
    name is not told from one of the address.
    """
    whole = request.script_root + request.path
    told = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    path = told.partition("?")[0]
    # Proxies and servers differ in whether they leave the prefix away.
    for spelled in (path, quote(request.script_root, safe=_PLAIN) + path):
        if unquote(spelled) == whole:
            return spelled
    return quote(whole, safe=_PLAIN)


def here_with_query() -> str:
    """Return the same with its query."""
    query = request.query_string.decode(errors="replace")
    return f"{here()}?{query}" if query else here()
