"""Texts in CSV files, which no spreadsheet may take for formulas.

Source: OWASP ASVS 5.0, 1.2.10.
"""

from __future__ import annotations

#: With what spreadsheets begin formulas; also in the full width that Japanese keyboards type.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def text_cell(text: str) -> str:
    """Return a text as a cell shows it: with a mark before what would be a formula."""
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULAS) else text
