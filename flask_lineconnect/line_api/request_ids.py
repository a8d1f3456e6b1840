"""LINE's ``x-line-request-id``, by which LINE's own answers are known from a proxy's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: LINE's are UUIDs; whatever else stands there goes into no database and no log.
_LOOKS_RIGHT = re.compile(r"[0-9A-Za-z_.:-]{1,100}")


def request_id_of(headers: Mapping[Any, Any] | None, name: str = "x-line-request-id") -> str | None:
    """Return the request id among an answer's headers; ``None``: the answer is not LINE's."""
    found = headers.get(name) if headers else None
    if found is not None and _LOOKS_RIGHT.fullmatch(str(found)):
        return str(found)
    # Not all mappings know that case does not count.
    for key, value in dict(headers or {}).items():
        if str(key).lower() == name and _LOOKS_RIGHT.fullmatch(str(value)):
            return str(value)
    return None
