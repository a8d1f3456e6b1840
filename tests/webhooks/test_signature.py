"""LINE's own example of a signature, and everything that is none."""

from __future__ import annotations

import pytest

from flask_lineconnect.webhooks.signature import is_signed

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


def test_lines_example_is_accepted() -> None:
    assert is_signed(BODY, SIGNATURE, SECRET)


@pytest.mark.parametrize(
    ("body", "signature", "secret"),
    [
        (BODY, None, SECRET),
        (BODY, "", SECRET),
        (BODY, "あ", SECRET),
        (BODY, SIGNATURE[:-1], SECRET),
        (BODY, SIGNATURE.lower(), SECRET),
        (BODY + b" ", SIGNATURE, SECRET),
        (BODY, SIGNATURE, SECRET[::-1]),
    ],
)
def test_W2_anything_else_is_refused(body: bytes, signature: str | None, secret: str) -> None:
    assert not is_signed(body, signature, secret)
