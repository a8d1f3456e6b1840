"""The tokens of a login: issued, refreshed, looked up, ended with the user's consent.

Source: LINE Login v2.1 reference, "Issue access token" to "Deauthorize".
"""

from __future__ import annotations

import secrets
from datetime import datetime
from datetime import timedelta

from ..api_errors import ApiError
from ..platform import Platform
from ..platform import platform
from ..tokens.guard import bearer
from ..world import AuthorizationCode
from ..world import ChannelToken
from ..world import LoginToken
from ..world import User
from ..world import World

WEB_TOKEN_LIFE, REFRESH_LIFE = timedelta(days=30), timedelta(days=90)
LIFF_TOKEN_LIFE = timedelta(hours=12)
#: How long an expired code is told from an unknown one.
_CODE_MEMORY = timedelta(days=1)


def issue(
    line: Platform, code: AuthorizationCode, *, life: timedelta, is_in_chat: bool = False
) -> LoginToken:
    """Issue an access token for what a code stands for."""
    now = line.clock.now()
    made = LoginToken(
        access_token=_make_access_token(),
        refresh_token=secrets.token_urlsafe(24),
        client_id=code.client_id,
        user_id=code.user_id,
        # The e-mail address is read from the ID token only.
        scope=[name for name in code.scope if name != "email"],
        issued_at=now,
        expires_at=now + life,
        refresh_expires_at=now + REFRESH_LIFE,
        is_in_chat=is_in_chat,
        liff_id=code.liff_id,
    )
    with line.change() as world:
        _drop_dead(world, now)
        world.login_tokens[made.access_token] = made
    return made


def renew(line: Platform, old: LoginToken) -> LoginToken:
    """Issue another access token for the same refresh token, which lives no longer for it.

    The old access token lives on.
    """
    now = line.clock.now()
    new = old.model_copy(
        update={
            "access_token": _make_access_token(),
            "issued_at": now,
            "expires_at": now + WEB_TOKEN_LIFE,
        }
    )
    with line.change() as world:
        world.login_tokens[new.access_token] = new
    return new


def what_is_wrong(line: Platform, token: LoginToken | ChannelToken | None) -> str | None:
    """Return LINE's words for a token that is not good any more, or ``None``."""
    if token is None:
        return "The access token not JWS"
    if token.is_revoked:
        return "The access token revoked"
    is_expired = token.expires_at is not None and token.expires_at <= line.clock.now()
    return "The access token expired" if is_expired else None


def living_token() -> LoginToken:
    """Return the login's access token that the request carries.

    :raises ApiError: there is none, or it is not good any more.
    """
    line = platform()
    with line.lock:
        token = line.world.login_tokens.get(bearer())
        wrong = what_is_wrong(line, token)
    if token is None or wrong:
        raise ApiError(401, wrong or "The access token revoked")
    return token


def bearer_of(scope: str) -> tuple[User, LoginToken]:
    """Return whose token the request carries, and the token.

    :raises ApiError: it is not good, or not for this scope.
    """
    token = living_token()
    user = platform().user(token.user_id)
    if user is None:
        raise ApiError(401, "The access token revoked")
    if scope not in token.scope:
        raise ApiError(403, "The permission is not in the scope of the access token.")
    return user, token


def end_consent(line: Platform, user: User) -> None:
    """Forget what a user granted to the login channel; their tokens and codes end."""
    with line.change() as world:
        user.granted = []
        for token in world.login_tokens.values():
            if token.user_id == user.user_id:
                token.is_revoked = True
        world.codes = {
            name: code for name, code in world.codes.items() if code.user_id != user.user_id
        }


def _make_access_token() -> str:
    # LINE's begin like a JWS, and nobody is meant to read them.
    return f"eyJ{secrets.token_urlsafe(64)}"


def _drop_dead(world: World, now: datetime) -> None:
    """Forget codes and tokens that are good for nothing; they would fill the snapshot."""
    world.codes = {
        name: code for name, code in world.codes.items() if code.issued_at + _CODE_MEMORY > now
    }
    world.login_tokens = {
        name: one for name, one in world.login_tokens.items() if one.refresh_expires_at > now
    }
