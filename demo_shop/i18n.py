"""Texts in the reader's language, as ``str``: Flask-Babel's own function has no types."""

from __future__ import annotations

import flask_babel


def gettext(text: str, **values: object) -> str:
    """Return a text in the language of whoever is answered."""
    return str(flask_babel.gettext(text, **values))
