"""Which faults can be switched on."""

from __future__ import annotations

from typing import Any

from .api_errors import ApiError

#: What each kind of fault is known by.
_KINDS = {"path": str, "auto_login": str, "id_token": dict}


def checked_fault(fault: dict[str, Any]) -> dict[str, Any]:
    """Return a fault of one of the kinds that the endpoints know.

    ``{"path", "status", "after_acceptance", "times"}`` lets a call fail, before or after LINE
    accepted it; ``{"auto_login": "fail", "times"}`` lets auto login fail; ``{"id_token": {…},
    "times"}`` overrides claims of the next ID token.

    :raises ApiError: it is of none.
    """
    kinds = [kind for kind in _KINDS if kind in fault]
    if len(kinds) != 1 or not isinstance(fault[kinds[0]], _KINDS[kinds[0]]):
        raise ApiError(400, "A fault has one of: path (text), auto_login (text), id_token (object)")
    if fault.get("auto_login", "fail") != "fail":
        raise ApiError(400, "'auto_login' can only be 'fail'")
    _check_number(fault, "times", 1, 1_000_000)
    _check_number(fault, "status", 400, 599)
    # A fault is looked up by this field, so it must be there or not, and never be null.
    if not isinstance(fault.get("after_acceptance", False), bool):
        raise ApiError(400, "'after_acceptance' must be true or false")
    return fault


def _check_number(fault: dict[str, Any], name: str, least: int, most: int) -> None:
    value = fault.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ApiError(400, f"'{name}' must be a whole number from {least} to {most:,}")
