"""Faults: an API call that fails, before or after LINE accepted it."""

from __future__ import annotations

from flask import Flask
from flask import g
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .platform import platform


def register(app: Flask) -> None:
    """Let switched-on faults happen."""
    app.before_request(_fail_before)
    app.after_request(_fail_after)


def _fail_before() -> Response | None:
    if request.path.startswith("/_emulator"):
        return None
    fault = platform().take_fault(path=request.path)
    if fault is None:
        return None
    if fault.get("after_acceptance"):
        g.fault_after = fault
        return None
    return _failure(fault)


def _fail_after(response: Response) -> Response:
    fault = g.pop("fault_after", None)
    return response if fault is None else _failure(fault)


def _failure(fault: dict[str, object]) -> Response:
    response = jsonify(message="Internal server error")
    response.status_code = int(str(fault.get("status", 500)))
    return response
