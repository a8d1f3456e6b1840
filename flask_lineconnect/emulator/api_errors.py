"""LINE's error answers, in the two shapes that LINE uses.

Source: Messaging API reference, "Error responses"; LINE Login v2.1 reference, "Error responses".
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask import Response
from flask import jsonify

Details = list[dict[str, str]]

#: LINE's words for the two kinds of 429.
RATE_LIMITED = "The API rate limit has been exceeded. Try again later."
USED_UP = "You have reached your monthly limit."


class ApiError(Exception):
    """An error of the Messaging API or a profile API: ``{"message": …, "details": […]}``.

    :param details: left out when ``None``; some rich menu errors have an empty list.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Details | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if details is not None:
            self.body["details"] = details
        self.body |= extra or {}
        self.headers = headers or {}


class OAuthError(Exception):
    """An error of an OAuth endpoint: ``{"error": …, "error_description": …}``."""

    def __init__(self, error: str, description: str, *, status: int = 400):
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}
        self.headers: dict[str, str] = {}


def register(app: Flask) -> None:
    """Answer these errors wherever they are raised."""
    app.register_error_handler(ApiError, answer)
    app.register_error_handler(OAuthError, answer)


def answer(error: ApiError | OAuthError) -> Response:
    """Return an error as LINE sends it."""
    response = jsonify(error.body)
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def broken_rule(message: str, where: str, *, status: int = 400) -> ApiError:
    """Return the error of a body that breaks one rule."""
    detail = {"message": message, "property": where}
    return ApiError(status, "The request body has 1 error(s)", details=[detail])


def bad_property(name: str) -> ApiError:
    """Return the error of a body in which one property has a wrong form."""
    return ApiError(
        400, f"The property, {name}, in the request body is invalid (line: -, column: -)"
    )


def bad_parameter(name: str) -> ApiError:
    """Return the error of a parameter of path or query that is wrong."""
    return ApiError(400, f"The value for the '{name}' parameter is invalid")


def refuse_if(details: Details) -> None:
    """Refuse a body that breaks rules, naming all of them at once.

    :raises ApiError: there is at least one.
    """
    if details:
        raise ApiError(400, f"The request body has {len(details)} error(s)", details=details)
