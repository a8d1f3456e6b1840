"""Which language the emulator's pages speak."""

from __future__ import annotations

import pytest
import requests

from flask_lineconnect.testing.plugin import Emulator


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("ja-JP,en", "ja"),
        ("ja-JP", "ja"),
        ("JA-jp,en-US;q=0.9,en;q=0.8", "ja"),
        ("en-GB,ja;q=0.5", "en"),
        ("fr-FR,en;q=0.5,ja;q=0.3", "en"),
        ("fr", "ja"),
        ("", "ja"),
    ],
)
def test_the_language_is_the_one_asked_for_first(
    line_emulator: Emulator, asked: str, language: str
) -> None:
    page = requests.get(
        f"{line_emulator.url}/phone", headers={"Accept-Language": asked}, timeout=60
    )
    assert f'<html lang="{language}">' in page.text
