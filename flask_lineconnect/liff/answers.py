"""How the member's pages answer: a page, a page that is not there, or a change and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import NoReturn

from flask import abort
from flask import redirect
from flask import url_for
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..state import current_line
from ..web.pages import render_error
from ..web.pages import render_page
from ..web.said import say
from ..web.said import take_said


def page(template: str, *, tab: str, **context: Any) -> str:
    """Render a page, with what the change before it had to say."""
    return render_page(f"lineconnect/liff/{template}", tab=tab, said=take_said(), **context)


def settle(change: Callable[[], None], *, done: str, back: str) -> Response:
    """Make a change that a form asked for and commit it; the page that follows says how it went.

    :param done: the words when it went well; those of a :class:`Refused` otherwise.
    :param back: path of the page that follows, so that a reload sends nothing twice.
    """
    line = current_line
    try:
        change()
        line.session.commit()
    except Refused as refused:
        return refuse(refused, back=back)
    return lead_back(done, back)


def lead_back(done: str, back: str) -> Response:
    """Lead to the page that follows a change, which says that it was made."""
    say(done)
    return redirect(back, 303)


def refuse(refused: Refused, *, back: str) -> Response:
    """Change nothing; the page that follows says why."""
    current_line.session.rollback()
    say(refused.message, is_problem=True)
    return redirect(back, 303)


def not_found() -> NoReturn:
    """Leave the view for the page that says that there is no such thing; nor is another's."""
    abort(
        render_error(
            title=_("見つかりませんでした"),
            text=_("なくなったか、アドレスが変わったのかもしれません。"),
            step="not-found",
            action_label=_("カードへ"),
            action_url=url_for("lineconnect.card"),
            status=404,
        )
    )
