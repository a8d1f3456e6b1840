"""The extension's own texts: Japanese in the source, other languages from gettext catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from typing import cast

from flask_babel import Domain

#: The extension's catalogues, apart from the shop's own.
domain = Domain(str(Path(__file__).with_name("translations")), domain="lineconnect")


def gettext(text: str, **variables: Any) -> str:
    """Return a text in the language of the current request."""
    return cast(str, domain.gettext(text, **variables))


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """Return a text that depends on a number, in the language of the current request."""
    return cast(str, domain.ngettext(singular, plural, num, **variables))


def lazy_gettext(text: str) -> Any:
    """Return a text that is translated when it is shown; for forms and other module-level texts."""
    return domain.lazy_gettext(text)
