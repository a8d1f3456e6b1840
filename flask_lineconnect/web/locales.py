"""Which language a page speaks: the one chosen on it, else one that the browser asks for."""

from __future__ import annotations

from collections.abc import Callable

from babel import negotiate_locale
from flask import Flask
from flask import current_app
from flask import has_request_context
from flask import request
from flask import session
from flask_babel import Babel

from ..i18n import LANGUAGE_KEY
from ..i18n import languages
from .blueprint import PageBlueprint

#: Chinese and Cantonese, in whichever script and country: who reads the simplified script reads the
#: other one sooner than Japanese.
_CHINESE = ("zh", "yue")


def set_up_languages(app: Flask) -> None:
    """Set Flask-Babel up unless the shop did; our pages obey a choice made on them either way."""
    if "babel" not in app.extensions:
        Babel(app, default_locale="ja", locale_selector=_preferred_language)
        return
    babel = app.extensions["babel"]
    shops_own = babel.locale_selector
    # Looked up at each request, and on our pages only: on its own the shop decides alone.
    babel.locale_selector = lambda: (_is_our_page() and _chosen_language()) or _choice_of(shops_own)


def _choice_of(shops_own: Callable[[], str | None] | None) -> str | None:
    """Ask the shop; messages are written outside of requests too, of which it may know nothing."""
    try:
        return shops_own() if shops_own else None
    except RuntimeError:
        if has_request_context():
            raise
        return None


def _preferred_language() -> str | None:
    """Return the language that was chosen, else one that the browser asks for."""
    if not request:
        return None
    return _chosen_language() or _asked_language()


def _chosen_language() -> str | None:
    chosen = session.get(LANGUAGE_KEY)
    return chosen if chosen in languages() else None


def _asked_language() -> str | None:
    """Choose by what the browser asks for, the most wanted first."""
    asked = [_as_ours(code) for code in request.accept_languages.values()]
    found: str | None = negotiate_locale(asked, languages())
    return found


def _as_ours(code: str) -> str:
    """Spell a language of the browser's as our catalogues do."""
    is_chinese = code.lower().partition("-")[0] in _CHINESE
    return "zh_Hant" if is_chinese else code.replace("-", "_")


def _is_our_page() -> bool:
    pages = current_app.blueprints.get(request.blueprint or "") if request else None
    return isinstance(pages, PageBlueprint)
