"""Pages that open inside LINE, the shop's own and ours: one class for both.

A page is served at once to the member in the session; anybody else gets the opening page, which
asks LINE who holds the phone and returns. How: ``liff/static/opening.js``, then ``api.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import wraps
from itertools import chain
from typing import Any
from typing import TypeVar
from urllib.parse import urlencode

from flask import current_app
from flask import g
from flask import request
from flask.sansio.app import App

from ..errors import Refused
from ..errors import UsageError
from ..i18n import gettext as _
from ..linking import accounts
from ..login import sessions
from ..login.refusals import show_refusal
from ..models import Account
from ..state import EXTENSION_KEY
from ..state import current_line
from ..web.addresses import here
from ..web.blueprint import PageBlueprint
from ..web.guards import wants_page
from ..web.pages import page_context
from ..web.pages import render_page
from . import answers

#: Parameters with which LINE's login comes back; those of LIFF begin with its name.
_OF_LINE = {"code", "state", "error", "error_description", "friendship_status_changed"}

View = TypeVar("View", bound=Callable[..., Any])


class LiffBlueprint(PageBlueprint):
    """A Flask blueprint whose pages open inside LINE, each for the linked member who opens it.

    Register it after ``line.init_app(app)``. Its pages lie below the LIFF endpoint,
    ``/line/liff`` by default, as LINE demands; a ``url_prefix`` of its own follows that. Their
    templates extend ``lineconnect/liff/base.html``.
    """

    def __init__(self, name: str, import_name: str, **options: Any):
        super().__init__(name, import_name, show_refusal=show_refusal, **options)
        self.context_processor(_layout_context)

    def page(
        self, rule: str, *, methods: Sequence[str] = ("GET",), **options: Any
    ) -> Callable[[View], View]:
        """Serve a page; the view takes the shop's member, then the variables of the rule.

        Both spellings of the address, with and without a slash at its end, answer without a
        redirect: one before ``liff.init`` loses the credentials that LINE's app hands over. What a
        script sends or asks for without a member is answered with 401.
        """

        def add(view: View) -> View:
            endpoint = options.pop("endpoint", view.__name__)
            guarded = _for_member(view)
            self.add_url_rule(
                rule, endpoint, guarded, methods=methods, strict_slashes=False, **options
            )
            return view

        return add

    def register(self, app: App, options: dict[str, Any]) -> None:
        """Join the blueprint to an app; Flask calls it."""
        state = app.extensions.get(EXTENSION_KEY)
        if state is None:
            raise UsageError(f"call line.init_app(app) before app.register_blueprint({self.name})")
        below = f"{state.config.url_prefix}/liff{self.url_prefix or ''}"
        super().register(app, {"url_prefix": below, **options})


def page_account() -> Account:
    """Return the LINE account to which the member of the current page is linked."""
    account: Account = g._lineconnect_page_account
    return account


def _layout_context() -> dict[str, Any]:
    """Return what ``lineconnect/liff/base.html`` needs, whoever renders a page upon it."""
    config = current_line.config
    return page_context() | {
        "liff_id": config.liff_id,
        "liff_sdk_url": config.hosts.liff_sdk,
        "emulator_url": config.emulator_url,
        "tab": None,
        "here": _here(),
    }


def _here() -> str:
    """Return this page's own address: without what LINE's login and LIFF add to it."""
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if not name.startswith("liff") and name not in _OF_LINE
    ]
    return f"{here()}?{urlencode(kept)}" if kept else here()


def _for_member(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view have the linked member in the session, or ask LINE who this is."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        # With liff.state the SDK is about to move on to another page; only it may do that.
        account = None if "liff.state" in request.args else _account_in_session()
        if account is None:
            return _open()
        if _asks_with_nul():
            answers.not_found()
        g._lineconnect_page_account = account
        return current_app.ensure_sync(view)(sessions.logged_in_user(), **values)

    return guarded


def _asks_with_nul() -> bool:
    """Tell whether the request names something with U+0000, for which no database looks."""
    texts = chain((request.view_args or {}).values(), *request.values.listvalues())
    return any(isinstance(text, str) and "\0" in text for text in texts)


def _open() -> str:
    """Return the page that asks LINE who holds the phone.

    :raises Refused: this is no visit of a page, so there is nobody to show it to.
    """
    if request.method not in {"GET", "HEAD"} or not wants_page():
        raise Refused(
            _("画面を開いてから時間が経ちました。もう一度お試しください。"), step="session"
        )
    return render_page("lineconnect/liff/opening.html")


def _account_in_session() -> Account | None:
    line, user = current_line, sessions.logged_in_user()
    if not isinstance(user, line.shop.model):
        return None
    return accounts.account_of_member(line, user)
