"""Japanese lines break at phrases, in every engine.

Chromium knows phrases by itself (``word-break: auto-phrase``). Others, and WebKit is LINE on every
iPhone, break between any two letters; to them, and only to them, the server says where phrases
end. Chromium's own rules are those of BudouX, which is asked here, too.
"""

from __future__ import annotations

import re
from typing import Any

from flask import has_request_context
from flask import request
from flask_babel import get_locale
from markupsafe import Markup
from markupsafe import escape

from ..phrase_ends import split as split

#: The first Chromium that knows phrases. Source: MDN's compatibility data, ``word-break``.
_KNOWS_PHRASES = 119
_CHROMIUM = re.compile(r"\bChrome/(\d+)")
_OTHER_ENGINE = re.compile(r"\b(AppleWebKit|Gecko)/\d")
_MARKUP = re.compile("[<&]")


def phrases(text: Any) -> Any:
    """Let the lines of a Japanese sentence end at its phrases only; for templates.

    What has tags already stays as it is, and so does every other language.
    """
    has_markup = isinstance(text, Markup) and _MARKUP.search(text)
    if has_markup or not text or not _are_to_be_told():
        return text
    return Markup('<span class="lc-phrases">{}</span>').format(
        Markup("<wbr>").join(escape(phrase) for phrase in split(str(text)))
    )


def _are_to_be_told() -> bool:
    locale = get_locale()
    if locale is not None and locale.language != "ja":
        return False
    return has_request_context() and not knows_phrases(request.headers.get("User-Agent", ""))


def knows_phrases(user_agent: str) -> bool:
    """Tell whether a browser finds phrases by itself, or is no browser at all."""
    chromium = _CHROMIUM.search(user_agent)
    if chromium is not None:
        return int(chromium[1]) >= _KNOWS_PHRASES
    return _OTHER_ENGINE.search(user_agent) is None
