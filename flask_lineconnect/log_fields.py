"""The fields that log records have beside their text, for shops that log JSON.

Never a token, a text, a name or a LINE user id.
"""

from __future__ import annotations

from typing import Any

from .errors import LineApiError


def log_fields(event: str, error: LineApiError | None = None, **more: Any) -> dict[str, Any]:
    """Return what goes into ``extra`` of a log call.

    :param event: what happened, in a word or two that stay the same.
    :param error: of LINE's; gives status and request id.
    :param more: ids of rows, counts.
    """
    fields: dict[str, Any] = {"event": f"lineconnect.{event}", **more}
    if error is not None:
        fields |= {"status": error.status, "line_request_id": error.request_id}
    return fields
