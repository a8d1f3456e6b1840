"""Lets switched-on faults happen to the calls that programs make."""

from __future__ import annotations

import socket
import time

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .api_errors import RATE_LIMITED
from .api_errors import USED_UP
from .faults import Fault
from .own_requests import is_own_path
from .platform import platform

_WORDS = {429: RATE_LIMITED}


def register(app: Flask) -> None:
    """Disturb calls before their view, and after it."""
    app.before_request(_disturb_before)
    app.after_request(_disturb_after)


def _disturb_before() -> Response | None:
    if is_own_path(request.path):
        return None
    fault = platform().faults.of_call(request.method, request.path, after_acceptance=False)
    return None if fault is None else _disturb(fault)


def _disturb_after(response: Response) -> Response:
    # A refused call was not accepted, and keeps its own answer.
    if response.status_code >= 300 or is_own_path(request.path):
        return response
    fault = platform().faults.of_call(request.method, request.path, after_acceptance=True)
    return response if fault is None else _disturb(fault) or response


def _disturb(fault: Fault) -> Response | None:
    """Return the answer of a disturbed call; ``None`` if it is only late."""
    time.sleep(fault.delay_seconds)
    if fault.drop:
        return _drop()
    if fault.quota:
        return _failure(429, USED_UP)
    if fault.status is None:
        return None
    return _failure(fault.status, _WORDS.get(fault.status, "Internal server error"))


def _drop() -> Response:
    """Close the connection under the answer, which so never arrives."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return _failure(500, "The connection was dropped")


def _failure(status: int, message: str) -> Response:
    response = jsonify(message=message)
    response.status_code = status
    return response
