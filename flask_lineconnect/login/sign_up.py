"""The registration form for somebody whom LINE knows and the shop does not, yet."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask import redirect
from flask import request
from flask import url_for
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response

from ..errors import Refused
from ..i18n import gettext as _
from ..linking import accounts
from ..models.violations import failure_of_shop
from ..models.violations import settle_constraints
from ..person_names import shown_name
from ..shop.adapter import LineProfile
from ..state import current_line
from ..web import csrf
from ..web.addresses import here
from ..web.names import line_profile
from ..web.names import member_name as name_on_page
from ..web.pages import render_page
from . import finish
from . import flow
from . import guard
from . import sessions
from .decide import Intent
from .forms import make_form

#: The field with which somebody becomes again who they were before they unlinked.
COME_BACK = "come_back"
#: The source of people who come from a LIFF page.
LIFF = "liff"


def register(blueprint: Blueprint) -> None:
    """Add the form to the extension's blueprint, also below the address where LIFF works."""
    methods = ["GET", "POST"]
    blueprint.add_url_rule("/sign-up", view_func=sign_up, methods=methods)
    blueprint.add_url_rule(
        "/liff/sign-up", "liff_sign_up", sign_up, methods=methods, strict_slashes=False
    )


def sign_up() -> Response:
    """Register a new member with a short form that LINE's profile prefills."""
    line = current_line
    waiting = flow.held(line.session, sessions.handle(), intent=Intent.LOGIN, now=line.clock())
    if waiting.account.is_linked:
        is_occupied = finish.is_occupied(waiting.account)
        return redirect(url_for("lineconnect.switch")) if is_occupied else finish.enter(waiting)
    former = accounts.former_member(line, waiting.account)
    if former is not None and request.method == "POST" and COME_BACK in request.form:
        return finish.tie(waiting, accounts.member_key(line.session, former))
    profile, status = finish.profile_of(waiting), HTTPStatus.OK
    form = (line.shop.sign_up_form or make_form(line.config))(request.form, obj=profile)
    if request.method == "POST" and form.validate():
        try:
            return _register(waiting, _confirmed(profile, form.data))
        except Refused as refused:
            line.session.rollback()
            if refused.step == "account-taken":
                return redirect(here())
            form.form_errors.append(refused.message)
            status = HTTPStatus.TOO_MANY_REQUESTS if refused.step == "rate" else status
    page = render_page(
        "lineconnect/sign_up.html",
        profile=line_profile(waiting.account),
        former_name=None if former is None else name_on_page(former, None),
        form=form,
        privacy_url=line.config.privacy_url,
        quick_fill=_quick_fill(waiting),
        log_in_url=_existing_member_url(waiting),
        terms_url=_terms_url(),
        terms_name=line.shop.terms_name,
    )
    return Response(page, status, mimetype="text/html")


def _quick_fill(waiting: flow.Held) -> dict[str, str | None] | None:
    """Return what the page needs to offer LINE's common profile, or ``None`` where it can't."""
    config = current_line.config
    if not config.quick_fill or not config.liff_id or waiting.attempt.source != LIFF:
        return None
    return {
        "plugin_url": config.hosts.quick_fill,
        "sdk_url": config.hosts.liff_sdk,
        "liff_id": config.liff_id,
    }


def _register(waiting: flow.Held, profile: LineProfile) -> Response:
    from ..web.rate_limits import RateLimits  # at the first count, see parts.py

    line = current_line
    member_id, failure = None, None
    # The answer tells whether somebody is a member. It is counted before the shop is asked.
    line.part(RateLimits).count("account", profile.line_user_id, "membership")
    try:
        member = line.shop.sign_up(profile)
        member_id = None if member is None else accounts.member_key(line.session, member)
        settle_constraints(line.session)
    except DBAPIError as error:
        line.session.rollback()
        # Of a unique value, somebody else with the same data was faster.
        failure = failure_of_shop(error, line.shop.model, "sign_up")
        member_id = None
    if failure is not None:
        raise failure
    if member_id is None:
        line.session.rollback()
        raise Refused(
            _(
                "すでに会員登録があるようです。下の「すでに会員の方」からログインして、"
                "マイページの「LINEと連携する」を押してください。"
            ),
            step="existing-member",
        )
    return finish.tie(waiting, member_id, is_new=True)


def _confirmed(profile: LineProfile, data: dict[str, Any]) -> LineProfile:
    """Return the profile as the person confirmed it in the form."""
    answers = {
        name: value
        for name, value in data.items()
        if name not in {"display_name", "email", csrf.FIELD, csrf.field_name()}
    }
    typed = data.get("display_name")
    return LineProfile(
        line_user_id=profile.line_user_id,
        display_name=str(typed if shown_name(typed) else profile.display_name),
        picture_url=profile.picture_url,
        email=data.get("email") or None,
        answers=answers,
    )


def _terms_url() -> str | None:
    """Return the address of the terms: the shop's own page, or what the settings name."""
    line = current_line
    endpoint = line.shop.terms_endpoint
    return url_for(endpoint) if endpoint else line.config.terms_url


def _existing_member_url(waiting: flow.Held) -> str | None:
    """Return the shop's own login page, which leads on to the page with the link button.

    ``None`` where the shop has no login but LINE's: nobody has been a member without it.
    """
    if waiting.attempt.source == LIFF:
        link_page = url_for("lineconnect.liff_link")
    else:
        link_page = url_for("lineconnect.link", next=waiting.attempt.next_path)
    own_page = guard.shop_log_in_url(link_page)
    return own_page or (link_page if guard.asks_in_its_own_way() else None)
