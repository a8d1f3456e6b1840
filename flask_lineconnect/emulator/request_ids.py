"""The id that every answer carries, and by which LINE knows a request later."""

from __future__ import annotations

import secrets

from flask import g


def request_id() -> str:
    """Return the id of this request."""
    found: str = g.setdefault("request_id", secrets.token_hex(16))
    return found
