"""What LINE's endpoints share: reading the body and the query, and user ids in them."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import request

from .api_errors import ApiError
from .api_errors import bad_parameter

USER_ID = re.compile(r"U[0-9a-f]{32}")
#: A user, a group or a room.
CHAT_ID = re.compile(r"[UCR][0-9a-f]{32}")


def json_body() -> dict[str, Any]:
    """Return the request's JSON object.

    :raises ApiError: it is none.
    """
    if request.mimetype != "application/json":
        raise ApiError(415, f"The content type, {request.mimetype}, is not supported")
    try:
        body = json.loads(request.get_data())
        # Half of a surrogate pair is no text: it could be neither kept nor shown.
        json.dumps(body, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _unreadable(error.lineno, error.colno) from None
    except (UnicodeError, RecursionError):
        raise _unreadable(1, 1) from None
    if not isinstance(body, dict):
        raise _unreadable(1, 1)
    return body


def check_user_id(user_id: str) -> None:
    """Check the form of a user id in a path.

    :raises ApiError: it is malformed.
    """
    if not USER_ID.fullmatch(user_id):
        raise bad_parameter("userId")


def is_user_id(value: object) -> bool:
    """Tell whether a value of a body has the form of a user id."""
    return isinstance(value, str) and USER_ID.fullmatch(value) is not None


def number_in_query(name: str, default: int, most: int) -> int:
    """Return a number of the query from 1 to ``most``.

    :raises ApiError: it is none.
    """
    given = request.args.get(name, str(default))
    if not given.isdecimal() or not 1 <= int(given[:18]) <= most:
        raise bad_parameter(name)
    return int(given)


def _unreadable(line: int, column: int) -> ApiError:
    text = f"The request body could not be parsed as JSON (line: {line}, column: {column})"
    return ApiError(400, text)
