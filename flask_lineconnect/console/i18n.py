"""The console's own texts: Japanese in the source, English in a catalogue of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from typing import cast

from flask_babel import Domain
from flask_babel import get_locale
from markupsafe import Markup

from ..person_names import Name

domain = Domain(str(Path(__file__).with_name("translations")), domain="console")
#: The languages in which there is a console.
LANGUAGES = {"ja": "日本語", "en": "English"}


def spoken() -> str:
    """Return the language of the page: Japanese to whoever reads none of the console's."""
    language = str(get_locale() or "ja")
    return language if language in LANGUAGES else "ja"


def gettext(text: str, **variables: Any) -> str:
    """Return a text in the language of the current request; names of people stay text in it."""
    if not any(isinstance(value, Name) for value in variables.values()):
        return cast(str, domain.gettext(text, **variables))
    return Markup.escape(cast(str, domain.gettext(text))) % variables


def lazy_gettext(text: str) -> Any:
    """Return a text that is translated when it is shown."""
    return domain.lazy_gettext(text)
