"""Hooks for members only, and what to say to people who are not linked."""

from __future__ import annotations

import functools
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any
from typing import overload

from flask import g

from ..hooks.table import HookFunction
from ..hooks.table import HookTable
from ..i18n import gettext as _
from ..line_api.client import LineApi
from ..linking import accounts
from ..linking import chat_link
from ..messages.objects import ButtonsMessage
from ..messages.objects import Message
from ..messages.objects import Reply
from ..messages.objects import UriAction
from ..state import current_line
from .events import Event
from .people import member_for


def link_invitation(event: Event) -> Message:
    """Return the message that invites a person to register, or to link their membership."""
    line = current_line
    if line.config.chat_linking == "account-link" and event.line_user_id is not None:
        address = account_link_url(event)
    else:
        address = line.url_for("lineconnect.login", source="chat")
    return ButtonsMessage(
        text=_("会員登録、またはお持ちの会員との連携がお済みでないようです。"),
        actions=[UriAction(_("登録・連携する"), address)],
    )


def account_link_url(event: Event) -> str:
    """Return an address that links the person who wrote with whoever logs in to the shop there.

    It asks LINE for a link token, so it is good for this person, once, for ten minutes.

    :raises LineApiError: LINE gave none.
    """
    line, line_user_id = current_line, str(event.line_user_id)
    account = accounts.ensure_account(line.session, line_user_id, now=line.clock())
    profile = line.part(LineApi).profile(line_user_id)
    if profile is not None:
        account.display_name, account.picture_url = profile
    token = line.part(LineApi).link_token(line_user_id)
    chat_link.begin(line.session, account, token, now=line.clock())
    return line.url_for("lineconnect.chat_link_page", linkToken=token)


@overload
def require_member(
    hook: Callable[..., Awaitable[Reply]],
) -> Callable[..., Awaitable[Reply]]: ...


@overload
def require_member(hook: Callable[..., Reply]) -> Callable[..., Reply]: ...


def require_member(hook: HookFunction) -> HookFunction:
    """Hand the shop's member to a hook as its second argument; invite everybody else to link.

    Once they are linked, within the hour, the hook answers the question that they had asked: at
    once after linking in the chat; after LINE Login with a push, if
    ``LINECONNECT_LATE_ANSWERS_PER_DAY`` allows one.

    Outside one-to-one chats the hook is not called: a member's data are not for a group to read.
    A test calls the hook with a member of its own.
    """

    @functools.wraps(hook)
    def with_member(event: Event, /, *given: Any, **arguments: Any) -> Reply | Awaitable[Reply]:
        if given:
            return hook(event, *given, **arguments)
        if not event.is_one_to_one:
            return None
        member = member_for(event)
        if member is None:
            g._lineconnect_question_waits = True
            return link_invitation(event)
        return hook(event, member, **arguments)

    return with_member


def postback_for(hook: str, **values: Any) -> str:
    """Return the data of a button that calls the postback hook ``hook`` with these variables.

    :param hook: ``blueprint.function``, as for ``url_for``.
    :raises UsageError: there is no such hook, or the data would be longer than LINE allows.
    """
    return current_line.part(HookTable).postback_data(hook, **values)
