"""Faults: an API call that fails, before or after LINE accepted it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .platform import platform


def register(app: Flask) -> None:
    """Let switched-on faults happen: ``{"path", "status", "after_acceptance", "times"}``."""
    app.before_request(_fail_before)
    app.after_request(_fail_after)


def _fail_before() -> Response | None:
    line, path = platform(), request.path
    if path.startswith("/_emulator"):
        return None
    fault = line.take_fault(path=path, after_acceptance=False)
    # Said nothing about it, it is one before.
    fault = fault or line.take_fault(path=path, after_acceptance=None)
    return None if fault is None else _failure(fault)


def _fail_after(response: Response) -> Response:
    # A refused call was not accepted, and keeps its own answer.
    if request.path.startswith("/_emulator") or response.status_code >= 300:
        return response
    fault = platform().take_fault(path=request.path, after_acceptance=True)
    return response if fault is None else _failure(fault)


def _failure(fault: dict[str, Any]) -> Response:
    response = jsonify(message="Internal server error")
    response.status_code = int(fault.get("status", 500))
    return response
