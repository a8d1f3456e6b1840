"""The bodies of LINE's JSON endpoints."""

from __future__ import annotations

import pytest

from .conftest import Line
from .messaging.sdk import PUSH


@pytest.mark.parametrize(
    ("body", "content_type", "status", "text"),
    [
        ("{'a'", "application/json", 400, "could not be parsed as JSON (line: 1, column: 2)"),
        ("[]", "application/json", 400, "could not be parsed as JSON (line: 1, column: 1)"),
        ("", "application/json", 400, "could not be parsed as JSON (line: 1, column: 1)"),
        ('{"to": "\\ud800"}', "application/json", 400, "could not be parsed as JSON"),
        ("[" * 100_000, "application/json", 400, "could not be parsed as JSON"),
        ("{}", "text/plain", 415, "The content type, text/plain, is not supported"),
    ],
)
def test_C2_a_body_that_is_no_json(
    line: Line, body: str, content_type: str, status: int, text: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = line.call("POST", PUSH, data=body, headers=headers)

    assert answer.status_code == status
    assert text in answer.json()["message"]
