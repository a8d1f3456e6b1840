"""Addresses as the browser knows them, also of a shop that lies below a path of its host."""

from __future__ import annotations

from flask import request


def here() -> str:
    """Return the path of the current request, with the one below which the shop lies."""
    return request.script_root + request.path


def here_with_query() -> str:
    """Return the same with its query."""
    query = request.query_string.decode(errors="replace")
    return f"{here()}?{query}" if query else here()
