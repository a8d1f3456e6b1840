"""The LIFF app that shows the point card: whose it is, what it opens, what it may be told.

Source: LIFF server API reference; "Opening a LIFF app".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import plain_address
from .findings import wrong
from .visit import Visit

_CONSOLE = "LINE Developers console, the LINE Login channel, LIFF"


def _whose(visit: Visit) -> Said | None:
    config = visit.line.config
    if config.liff_id is None:
        return doubtful(
            "LINECONNECT_LIFF_ID is not set, so there is no page inside LINE: no point card",
            f"add a LIFF app in {_CONSOLE}, and set its id",
        )
    owner = config.liff_id.partition("-")[0]
    if owner == config.login_channel_id:
        return fine("the LIFF app is of the login channel")
    return wrong(
        f"LINECONNECT_LIFF_ID begins with {owner}, and LINECONNECT_LOGIN_CHANNEL_ID is "
        f"{config.login_channel_id}: ID tokens of another channel's LIFF app are refused",
        f"set the id of a LIFF app of the login channel, from {_CONSOLE}",
    )


def _exists(visit: Visit) -> Said | None:
    liff_id = visit.line.config.liff_id
    if liff_id is None:
        return None
    apps = visit.liff_apps()
    if liff_id in apps:
        return fine(f"LINE has the LIFF app {liff_id}")
    others = f"; it has {', '.join(sorted(apps)[:5])}" if apps else " and no other one"
    return wrong(
        f"the login channel has no LIFF app {liff_id}{others}",
        f"add one in {_CONSOLE}, or set LINECONNECT_LIFF_ID to the id of one that is there",
    )


def _endpoint(visit: Visit) -> Said | None:
    app = _app(visit)
    if app is None:
        return None
    wanted = visit.line.url_for("lineconnect.card")
    view = app.get("view")
    found = plain_address(view.get("url") if isinstance(view, dict) else "")
    if found == wanted:
        return fine(f"the LIFF app opens {wanted}")
    return wrong(
        f"the LIFF app opens {found or 'nothing'}, and the point card is at {wanted}",
        "run `flask line setup`, which tells LINE, or mend LINECONNECT_BASE_URL",
    )


def _scope(visit: Visit) -> Said | None:
    app = _app(visit)
    if app is None:
        return None
    scopes = app.get("scope")
    missing = {"openid", "profile"} - {str(one) for one in scopes or () if isinstance(scopes, list)}
    if "openid" in missing:
        return wrong(
            "the LIFF app lacks the scope openid, so LINE gives its pages no ID token and nobody "
            "is logged in inside LINE",
            f"tick openid and profile in {_CONSOLE}, the app's Scopes",
        )
    if missing:
        return doubtful(
            "the LIFF app lacks the scope profile, so members who register inside LINE have no "
            "name and no picture",
            f"tick profile in {_CONSOLE}, the app's Scopes",
        )
    return fine("the LIFF app may say who somebody is")


def _size(visit: Visit) -> Said | None:
    app = _app(visit)
    if app is None:
        return None
    view = app.get("view")
    if not isinstance(view, dict) or view.get("type") in {"full", "tall"}:
        return fine("the LIFF app has room for a card")
    return doubtful(
        f"the LIFF app is {view.get('type')!s:.20}: half a phone, too little for a card",
        f"choose Full in {_CONSOLE}, the app's Size",
    )


def _friend_option(visit: Visit) -> Said | None:
    app = _app(visit)
    if app is None:
        return None
    if app.get("botPrompt") in {"normal", "aggressive"}:
        return fine("whoever opens the LIFF app is offered to add the account as a friend")
    return doubtful(
        "the LIFF app offers nobody to add the official account as a friend",
        f"choose On (aggressive) in {_CONSOLE}, the app's Add friend option",
    )


def _app(visit: Visit) -> Mapping[str, Any] | None:
    liff_id = visit.line.config.liff_id
    return None if liff_id is None else visit.liff_apps().get(liff_id)


CHECKS = (
    Check("liff-id", _whose),
    Check("liff-app", _exists, asks=True),
    Check("liff-endpoint", _endpoint, asks=True),
    Check("liff-scope", _scope, asks=True),
    Check("liff-size", _size, asks=True),
    Check("liff-friend", _friend_option, asks=True),
)
