"""The official account: whose it is, what it may send, what LINE's own tools say in its name.

Source: Messaging API reference, "Bot", "Message", "Insight"; "Get the number of sent messages".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ..config.plans import JAPANESE_PLANS
from ..errors import LineConnectError
from ..models import PublishedRichMenu
from ..rich_menus import publish
from ..rich_menus import releases
from ..rich_menus.choosing import current_release
from ..rich_menus.choosing import menus_of
from ..setting_up.questions import REFUSED
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import untold
from .findings import wrong
from .visit import Visit

#: LINE counts days in Japan's time.
_JAPAN = ZoneInfo("Asia/Tokyo")
#: Of the month's messages, from when on it is said.
NEARLY_ALL = 0.9
_MANAGER = "LINE Official Account Manager, Settings, Response settings"


def _bot_user_id(visit: Visit) -> Said | None:
    ours, theirs = visit.line.config.bot_user_id, visit.account().get("userId")
    if ours is None or ours == theirs:
        return None if ours is None else fine("LINECONNECT_BOT_USER_ID is the account's")
    return wrong(
        "LINECONNECT_BOT_USER_ID is of another official account, so every webhook is left out",
        f"set it to {theirs}, or leave it out",
    )


def _basic_id(visit: Visit) -> Said | None:
    account, ours = visit.account(), visit.line.config.basic_id
    theirs = [str(one) for one in (account.get("premiumId"), account.get("basicId")) if one]
    if ours is None:
        return doubtful(
            "LINECONNECT_BASIC_ID is not set, so pages have no button that opens the chat",
            f"set it to {' or '.join(theirs)}",
        )
    if ours.lower() in {one.lower() for one in theirs}:
        return fine(f"the account is {ours}")
    return wrong(
        f"LINECONNECT_BASIC_ID is {ours}, and the channel's account is {' or '.join(theirs)}: "
        "buttons open somebody else's chat",
        f"set it to {theirs[0] if theirs else 'the ID in LINE Official Account Manager'}",
    )


def _chat_mode(visit: Visit) -> Said:
    if visit.account().get("chatMode") != "chat":
        return fine("messages are answered by the shop's hooks alone")
    return doubtful(
        "Chat is on: staff answer by hand in LINE's manager, beside the shop's hooks",
        f"leave it on if they do; otherwise switch Chat off in {_MANAGER}",
    )


def _greeting(visit: Visit) -> Said:
    return _tool(visit, "welcomeResponse", "the greeting message", "on_follow")


def _auto_reply(visit: Visit) -> Said:
    return _tool(visit, "autoResponse", "the auto-reply", "on_text")


def _tool(visit: Visit, field: str, name: str, hook: str) -> Said:
    """Look in yesterday's figures for what a tool of LINE's sent; none says little."""
    sent = _yesterday(visit).get(field)
    mend = f"switch it off in {_MANAGER}, if a hook ({hook}) is to speak alone"
    if isinstance(sent, int) and sent > 0:
        text = f"{name} of the official account is on: LINE sent it {sent} times yesterday"
        return doubtful(f"{text}, beside what the shop sends", mend)
    return untold(
        f"LINE's API does not tell whether {name} of the official account is on; LINE counts "
        "none for yesterday",
        f"look, and {mend}",
    )


def _yesterday(visit: Visit) -> Mapping[str, Any]:
    day = (visit.line.clock().astimezone(_JAPAN) - timedelta(days=1)).strftime("%Y%m%d")
    return visit.bot("/v2/bot/insight/message/delivery", *REFUSED, date=day).content


def _quota(visit: Visit) -> Said:
    answer = visit.bot("/v2/bot/message/quota")
    used = visit.bot("/v2/bot/message/quota/consumption").content.get("totalUsage")
    granted = answer.content.get("value")
    if answer.content.get("type") == "none" or not isinstance(granted, int):
        return fine("LINE names no limit of the month's messages")
    if not isinstance(used, int):
        used = 0
    text = f"{used:,} of the month's {granted:,} messages are sent"
    mend = (
        "buy a larger plan or allow extra messages in LINE Official Account Manager, or wait for "
        "the month's end; `flask line quota` tells what waits"
    )
    if used >= granted:
        return wrong(f"{text}, so LINE refuses every push", mend)
    return doubtful(text, mend) if used >= granted * NEARLY_ALL else fine(text)


def _plan(visit: Visit) -> Said | None:
    config = visit.line.config
    if config.plan is None:
        return None
    granted = visit.bot("/v2/bot/message/quota").content.get("value")
    plan = {**JAPANESE_PLANS, **(config.plans or {})}[config.plan]
    if not isinstance(granted, int) or granted >= plan.free:
        return fine(f"LINE grants what LINECONNECT_PLAN {config.plan!r} has")
    return wrong(
        f"LINECONNECT_PLAN is {config.plan!r} with {plan.free:,} messages a month, and LINE grants "
        f"{granted:,}: estimates and the budget are wrong",
        "set LINECONNECT_PLAN to the plan that LINE Official Account Manager shows",
    )


def _rich_menu(visit: Visit) -> Said | None:
    if visit.line.rich_menu is None:
        return _released_menus(visit)
    answer = visit.bot("/v2/bot/user/all/richmenu", HTTPStatus.NOT_FOUND)
    mend = "run `flask line setup`, which publishes the shop's rich menu"
    if answer.status == HTTPStatus.NOT_FOUND:
        return wrong("the shop has a rich menu, and LINE shows none", mend)
    known = visit.line.session.scalar(
        select(PublishedRichMenu).where(
            PublishedRichMenu.rich_menu_id == str(answer.content.get("richMenuId"))
        )
    )
    if known is None:
        return wrong("LINE shows another rich menu than the shop's", mend)
    try:
        is_ours = known.content_hash in publish.hashes(
            visit.line.rich_menu, root_path=visit.line.app.root_path
        )
    except LineConnectError:
        return None  # `rich-menu-files` says what is missing
    if not is_ours:
        return wrong("LINE shows an older rich menu than the shop's code has", mend)
    return fine("LINE shows the shop's rich menu")


def _released_menus(visit: Visit) -> Said | None:
    """Look at the menus that are data."""
    try:
        composed = releases.declared(visit.line)
    except LineConnectError:
        return None  # `rich-menu-files` says what is wrong
    release = current_release(visit.line.session)
    if release is None and not composed:
        return None
    mend = "run `flask line richmenu sync`, which brings them to LINE"
    before = {menu.name: menu.digest for menu in menus_of(release)} if release is not None else {}
    if before != {one.menu.name: one.digest for one in composed}:
        return wrong("the shop's rich menus are not those that were brought to LINE", mend)
    answer = visit.bot("/v2/bot/user/all/richmenu", HTTPStatus.NOT_FOUND)
    default = release.default_menu_id if release is not None else None
    if answer.content.get("richMenuId") != default:
        return wrong("LINE shows everybody another rich menu than the shop's", mend)
    return fine("LINE has the shop's rich menus")


CHECKS = (
    Check("bot-user-id", _bot_user_id, asks=True),
    Check("basic-id", _basic_id, asks=True),
    Check("chat-mode", _chat_mode, asks=True),
    Check("greeting", _greeting, asks=True),
    Check("auto-reply", _auto_reply, asks=True),
    Check("quota", _quota, asks=True),
    Check("plan", _plan, asks=True),
    Check("rich-menu", _rich_menu, asks=True),
)
