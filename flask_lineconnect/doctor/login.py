"""The login channel as LINE knows it: callback, scope, the linked official account, the provider.

What needs a person's login is asked with the token of a member who logged in lately.

Source: LINE Login v2.1 reference, "Friendship status"; "Integrating LINE Login with your web app".
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import undefer

from ..errors import LineApiError
from ..models import Account
from ..setting_up.questions import REFUSED
from .findings import Check
from .findings import Said
from .findings import fine
from .findings import untold
from .findings import wrong
from .visit import Visit

#: Of so many members the tokens are tried.
MOST_MEMBERS = 5
_CONSOLE = "LINE Developers console, the LINE Login channel"
_ONE_LOGIN = "log in to the shop with LINE once, as a friend of the account, then run this again"


class Friendship(NamedTuple):
    """What LINE told a member's own token."""

    line_user_id: str
    status: int
    is_friend: bool


def _callback(visit: Visit) -> Said:
    callback = visit.line.url_for("lineconnect.callback")
    answer = visit.login_page()
    if answer.status != HTTPStatus.BAD_REQUEST:
        return fine(f"LINE leads back to {callback}")
    if "client_id" in answer.text and "redirect_uri" not in answer.text:
        return wrong(
            f"LINE knows no login channel {visit.line.config.login_channel_id}",
            f"copy LINECONNECT_LOGIN_CHANNEL_ID from {_CONSOLE}, Basic settings",
        )
    return wrong(
        f"LINE does not lead back to {callback}: it is no callback URL of the login channel",
        f"enter exactly that address in {_CONSOLE}, LINE Login, Callback URL",
    )


def _scope(visit: Visit) -> Said | None:
    answer = visit.login_page()
    error = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("error", [""])[0]
    scope = visit.line.config.login_scope
    if error.lower() == "invalid_scope":
        return wrong(
            f"LINE refuses LINECONNECT_LOGIN_SCOPE {scope!r}",
            'set it to "openid profile", or apply for the e-mail permission in '
            f"{_CONSOLE}, Basic settings",
        )
    if "email" in scope.split():
        return untold(
            "LINE's API does not tell whether the login channel has the e-mail permission that "
            "LINECONNECT_LOGIN_SCOPE needs",
            f"look whether {_CONSOLE}, Basic settings, says Applied below OpenID Connect",
        )
    return fine(f"the login asks for {scope}")


def _linked_bot(visit: Visit) -> Said:
    for friendship in _friendships(visit):
        if friendship.status == HTTPStatus.OK:
            return fine("an official account is linked to the login channel")
        if friendship.status == HTTPStatus.BAD_REQUEST:
            return wrong(
                "no official account is linked to the login channel, so no login offers to add "
                "it as a friend",
                f"choose the account in {_CONSOLE}, Basic settings, Linked LINE Official Account",
            )
    return untold(
        "LINE tells only a logged-in member's token whether an official account is linked to "
        "the login channel, and there is none",
        f"{_ONE_LOGIN}; or look in {_CONSOLE}, Basic settings, Linked LINE Official Account",
    )


def _provider(visit: Visit) -> Said:
    known = [one for one in _friendships(visit) if one.is_friend]
    for friend in known:
        answer = visit.bot(f"/v2/bot/profile/{friend.line_user_id}", HTTPStatus.NOT_FOUND)
        if answer.status == HTTPStatus.OK:
            return fine("both channels know the members by the same ids")
    if known:
        return wrong(
            "the Messaging API channel knows nobody by the id that the login channel gives, so "
            "no member can be sent a message: the channels are of two providers, or another "
            "official account is linked to the login channel",
            "use a Messaging API channel and a LINE Login channel of one provider, linked to each "
            "other; channels can't be moved, so make the login channel anew",
        )
    return untold(
        "LINE's API does not tell of what provider a channel is, and no member is known who is a "
        "friend of the account",
        f"{_ONE_LOGIN}; or look whether LINE Developers console lists both channels under one name",
    )


def _published(visit: Visit) -> Said:
    return untold(
        "LINE's API does not tell whether the login channel is published; before that only its "
        "own developers can log in",
        f"look whether {_CONSOLE} says Published below its name, and press Developing if not",
    )


def _friendships(visit: Visit) -> Iterator[Friendship]:
    """Ask with the tokens of members who logged in lately, one by one.

    :raises LineApiError: LINE did not say.
    """
    from ..login.tokens import TokenVault

    line = visit.line
    statement = (
        select(Account)
        .where(Account.member_id.is_not(None), Account.sealed_tokens.is_not(None))
        .order_by(Account.linked_at.desc())
        .limit(MOST_MEMBERS)
        .options(undefer(Account.sealed_tokens))
    )
    for account in line.session.scalars(statement):
        tokens = line.part(TokenVault).open(account.line_user_id, account.sealed_tokens)
        if tokens is None or tokens.expires_at <= line.clock().timestamp():
            continue
        answer = visit.ask("/friendship/v1/status", bearer=tokens.access_token, also=REFUSED)
        flag = answer.content.get("friendFlag")
        if answer.status == HTTPStatus.OK and not isinstance(flag, bool):
            raise LineApiError("LINE's answer can't be read: /friendship/v1/status")
        yield Friendship(account.line_user_id, answer.status, flag is True)


CHECKS = (
    Check("callback", _callback, asks=True),
    Check("login-scope", _scope, asks=True),
    Check("linked-account", _linked_bot, asks=True),
    Check("provider", _provider, asks=True),
    Check("published", _published, asks=True),
)
