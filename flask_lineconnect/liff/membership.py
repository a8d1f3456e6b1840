"""The membership pages inside LINE: profile, message preferences, coupons, favourites, language.

What is the shop's is asked of its :class:`MemberDesk`, for the member in the session alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import redirect
from flask import request
from flask import url_for
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response
from wtforms import Form

from ..errors import Refused
from ..i18n import gettext as _
from ..i18n import languages
from ..login import sessions
from ..login.flow import local_path
from ..marketing import member_events
from ..marketing.event_kinds import DECLINED
from ..models import Account
from ..models.violations import failure_of_shop
from ..outbox.preferences import declined_by
from ..outbox.preferences import set_preferences
from ..person_names import Name
from ..shop.member_desk import Coupon
from ..state import LineState
from ..state import current_line
from ..web.addresses import here
from ..web.locales import choose_language
from ..web.names import member_name as name_on_page
from . import answers
from .blueprint import LiffBlueprint
from .blueprint import page_account


def register(blueprint: LiffBlueprint) -> None:
    """Add the pages to the extension's blueprint."""
    base, both = "/liff/membership", ["GET", "POST"]
    blueprint.page(base)(membership)
    blueprint.page(f"{base}/profile", methods=both)(profile)
    blueprint.page(f"{base}/preferences", methods=both)(preferences)
    blueprint.page(f"{base}/coupons")(coupons)
    blueprint.page(f"{base}/coupons/<key>", methods=both)(coupon)
    blueprint.page(f"{base}/favourites", methods=both)(favourites)
    blueprint.add_url_rule("/liff/language", view_func=language, methods=["POST"])


def membership(member: Any) -> str:
    """Show who this is, and lead to all that can be seen and changed."""
    shop = current_line.shop
    desk = shop.membership
    found = desk.coupons(member)
    return _page(
        "membership.html",
        member_name=name_on_page(member, page_account()),
        account=page_account(),
        line_name=Name(page_account().display_name),
        has_profile=desk.profile_form is not None,
        coupons=found,
        usable=sum(coupon.used_at is None for coupon in found or ()),
        favourites=desk.favourites(member),
        languages=languages(),
    )


def profile(member: Any) -> Response | str:
    """Show what the shop knows of the member, in its own form, and change it."""
    make_form = current_line.shop.membership.profile_form or answers.not_found()
    form = make_form(request.form, obj=member)
    if request.method == "POST" and form.validate():
        try:
            return _save(member, form)
        except Refused as refused:
            current_line.session.rollback()
            form.form_errors.append(refused.message)
    return _page("profile.html", form=form)


def _save(member: Any, form: Form) -> Response:
    from ..web.rate_limits import RateLimits  # at the first count, see parts.py

    line = current_line
    failure = None
    # A shop may say here that an address is somebody else's.
    line.part(RateLimits).count("account", page_account().line_user_id, "membership")
    try:
        line.shop.membership.save_profile(member, form)
        line.session.commit()
    except DBAPIError as error:
        line.session.rollback()
        failure = failure_of_shop(error, line.shop.model, "membership.save_profile")
        if failure is None:
            raise Refused(_("この内容では登録できません。入力をお確かめください。")) from None
    if failure is not None:
        raise failure
    return answers.lead_back(_done(), url_for("lineconnect.membership"))


def preferences(member: Any) -> Response | str:
    """Show which kinds of messages the member wants, and change it."""
    line = current_line
    optional = [category.name for category in line.shop.categories if category.is_optional]
    if request.method != "POST":
        declined = declined_by(line.session, page_account())
        return _page("preferences.html", categories=line.shop.categories, declined=declined)
    wanted = set(request.form.getlist("wanted"))
    choice = {name: name in wanted for name in optional}
    change = partial(_choose, line, page_account(), choice)
    return answers.settle(change, done=_done(), back=url_for("lineconnect.membership"))


def _choose(line: LineState, account: Account, choice: Mapping[str, bool]) -> None:
    before = declined_by(line.session, account)
    set_preferences(line.session, account, choice, now=line.clock())
    for name in declined_by(line.session, account) - before:
        facts = {"category": name}
        member_events.record(
            line, DECLINED, member_id=account.member_id, account=account, facts=facts
        )


def coupons(member: Any) -> str:
    """List the member's coupons."""
    found = current_line.shop.membership.coupons(member)
    return _page("coupons.html", coupons=answers.not_found() if found is None else found)


def coupon(member: Any, key: str) -> Response | str:
    """Show one coupon with its codes, and use it."""
    desk = current_line.shop.membership
    found = _find(desk.coupons(member) or (), key)
    if request.method != "POST":
        return _page("coupon.html", coupon=found)
    if not found.is_usable and found.used_at is None:
        answers.not_found()
    change = partial(desk.use_coupon, member, key)
    return answers.settle(change, done=_("クーポンを使いました。"), back=here())


def favourites(member: Any) -> Response | str:
    """List the member's favourites, and remove one of them."""
    desk = current_line.shop.membership
    found = desk.favourites(member)
    if found is None:
        answers.not_found()
    if request.method != "POST":
        return _page("favourites.html", favourites=found)
    change = partial(desk.remove_favourite, member, request.form.get("key", ""))
    return answers.settle(change, done=_("お気に入りから外しました。"), back=here())


def language() -> Response:
    """Keep the chosen language in the session, and for messages to whom it belongs."""
    choose_language(request.form.get("language"), sessions.logged_in_user())
    current_line.session.commit()
    back = local_path(request.form.get("next")) or url_for("lineconnect.membership")
    return redirect(back, 303)


def _page(template: str, **context: Any) -> str:
    return answers.page(template, tab="membership", **context)


def _done() -> str:
    return _("保存しました。")


def _find(found: Sequence[Coupon], key: str) -> Coupon:
    for one in found:
        if one.key == key:
            return one
    answers.not_found()
