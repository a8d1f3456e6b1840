"""The extension's own texts: Japanese in the source, other languages from gettext catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from typing import cast

from flask_babel import Domain
from flask_babel import force_locale
from markupsafe import Markup

from .person_names import Name

_FOLDER = Path(__file__).with_name("translations")
#: The extension's catalogues, apart from the shop's own.
domain = Domain(str(_FOLDER), domain="lineconnect")

#: Where the session keeps the language that a person chose.
LANGUAGE_KEY = "lineconnect_language"
#: What the languages call themselves; those without a catalogue are not offered.
_LANGUAGES = {"ja": "日本語", "en": "English", "zh_Hant": "繁體中文", "th": "ไทย"}


@cache
def languages() -> dict[str, str]:
    """Return the languages of our pages, by their code; the source's own is the first."""
    return {
        code: name
        for code, name in _LANGUAGES.items()
        if code == "ja" or (_FOLDER / code / "LC_MESSAGES" / "lineconnect.mo").exists()
    }


def gettext(text: str, **variables: Any) -> str:
    """Return a text in the language of the current request."""
    return cast(str, domain.gettext(text, **variables))


def page_gettext(text: str, **variables: Any) -> str:
    """Return a text for a template; a person's name in it keeps a direction of its own."""
    if not any(isinstance(value, Name) for value in variables.values()):
        return gettext(text, **variables)
    return Markup.escape(gettext(text)) % variables


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """Return a text that depends on a number, in the language of the current request."""
    return cast(str, domain.ngettext(singular, plural, num, **variables))


def lazy_gettext(text: str) -> Any:
    """Return a text that is translated when it is shown; for forms and other module-level texts."""
    return domain.lazy_gettext(text)


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Write in a language meanwhile, whoever asks; ``None``: in the one that is spoken anyway."""
    if language is None:
        yield
        return
    with force_locale(language):
        yield
