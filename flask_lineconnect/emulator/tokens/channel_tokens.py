"""Channel access tokens of every kind: what one is, who it belongs to, how long it lives.

Source: Messaging API reference, "Channel access token".
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Literal

from ..platform import Platform
from ..platform import platform
from ..world import ChannelToken
from ..world import World

STATELESS_SECONDS = 900


def issue(
    channel_id: str,
    kind: Literal["long-lived", "short-lived", "v2.1", "stateless"],
    seconds: int | None,
) -> ChannelToken:
    """Issue a token; the checks are its endpoint's.

    :param seconds: that it lives; ``None`` is until it is issued anew.
    """
    now = platform().clock.now()
    token = ChannelToken(
        access_token=secrets.token_urlsafe(64),
        channel_id=channel_id,
        kind=kind,
        issued_at=now,
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        key_id=secrets.token_urlsafe(16) if kind == "v2.1" else None,
    )
    with platform().change() as world:
        _drop_expired(world)
        world.channel_tokens[token.access_token] = token
    return token


def issue_long_lived() -> ChannelToken:
    """Issue the Messaging API channel's one long-lived token, as LINE's console does.

    The one before it ends at once; LINE's console may let it live on for a day.
    """
    channel_id = platform().world.messaging_channel.id
    with platform().change() as world:
        for token in world.channel_tokens.values():
            token.is_revoked |= token.channel_id == channel_id and token.kind == "long-lived"
        return issue(channel_id, "long-lived", None)


def is_alive(line: Platform, token: ChannelToken) -> bool:
    """Tell whether a token is neither revoked nor expired."""
    is_expired = token.expires_at is not None and token.expires_at <= line.clock.now()
    return not token.is_revoked and not is_expired


def channel_of_token(line: Platform, token: str) -> str | None:
    """Return the id of the channel whose living token this is."""
    with line.lock:
        found = line.world.channel_tokens.get(token)
        return found.channel_id if found is not None and is_alive(line, found) else None


def is_known(channel_id: str) -> bool:
    """Tell whether this is the id of one of the two channels."""
    return channel_id in _secrets()


def is_secret_of(channel_id: str, secret: str) -> bool:
    """Tell whether a secret is a channel's own."""
    expected = _secrets().get(channel_id)
    return expected is not None and hmac.compare_digest(expected.encode(), secret.encode())


def _secrets() -> dict[str, str]:
    world = platform().world
    return {
        channel.id: channel.secret for channel in (world.login_channel, world.messaging_channel)
    }


def _drop_expired(world: World) -> None:
    """Forget expired tokens, which would fill the snapshot: one comes every 15 minutes."""
    now = platform().clock.now()
    world.channel_tokens = {
        name: token
        for name, token in world.channel_tokens.items()
        if token.expires_at is None or token.expires_at > now
    }
