"""Which language a page speaks: the one chosen on it, else one that the browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from babel import negotiate_locale
from flask import Flask
from flask import current_app
from flask import has_request_context
from flask import request
from flask import session
from flask_babel import Babel
from flask_babel import get_babel
from flask_babel import get_locale

from ..i18n import LANGUAGE_KEY
from ..i18n import languages
from ..linking import accounts
from ..linking.languages import choose
from ..linking.languages import language_answered
from ..models import Account
from ..state import current_line
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
    babel.locale_selector = lambda: (
        language_answered() or (_is_our_page() and chosen_language()) or _choice_of(shops_own)
    )


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
    return language_answered() or chosen_language() or _asked_language()


def chosen_language() -> str | None:
    """Return the language that was chosen in this browser."""
    chosen = session.get(LANGUAGE_KEY)
    return chosen if chosen in languages() else None


def choose_language(language: str | None, user: Any | None) -> None:
    """Keep a choice in this browser's session and, of a linked member, for messages, too.

    :param user: who is logged in to the shop.
    """
    if language not in languages():
        return
    line = current_line
    session[LANGUAGE_KEY] = language
    is_member = user is not None and isinstance(user, line.shop.model)
    account = accounts.account_of_member(line, user) if is_member else None
    if account is not None:
        choose(line, account, language)


def agree_on_language(account: Account) -> None:
    """Let who logs in be written to as this browser reads, or else read as they are written to."""
    chosen = chosen_language()
    if chosen is not None:
        choose(current_line, account, chosen)
    elif account.language is not None:
        session[LANGUAGE_KEY] = account.language


def note_language(account: Account) -> None:
    """Let who links on a page of another language than the shop's be written to in that one.

    What they choose later, here or elsewhere, goes first.
    """
    spoken, own = str(get_locale() or ""), str(get_babel().instance.default_locale)
    if account.language is None and spoken != own and spoken in languages():
        choose(current_line, account, spoken)


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
