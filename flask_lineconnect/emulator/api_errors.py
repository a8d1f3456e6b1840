"""LINE's error answers, in the two shapes that LINE uses.

Source: Messaging API reference, "Error responses"; LINE Login v2.1 reference, "Error responses".
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask import jsonify


class ApiError(Exception):
    """An error of the Messaging API or a profile API: ``{"message": …, "details": […]}``."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **({"details": details} if details else {})} | (
            extra or {}
        )
        self.headers = headers or {}


class OAuthError(Exception):
    """An error of an OAuth endpoint: ``{"error": …, "error_description": …}``."""

    def __init__(self, error: str, description: str, *, status: int = 400):
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


def answer(error: ApiError | OAuthError) -> Response:
    """Return an error as LINE sends it."""
    response = jsonify(error.body)
    response.status_code = error.status
    response.headers.update(getattr(error, "headers", {}))
    return response
