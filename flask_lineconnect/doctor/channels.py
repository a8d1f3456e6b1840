"""The two channels: their IDs and secrets, their kinds, the long-lived token, the two clocks.

Source: Messaging API reference, "Channel access token"; LIFF server API reference.
"""

from __future__ import annotations

from datetime import UTC
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ..setting_up.questions import REFUSED
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import unasked
from .findings import wrong
from .visit import Visit

#: How soon the end of a token is said.
SOON = timedelta(days=7)
#: ID tokens are refused beyond a minute; see ``login/oidc.py``.
WRONG_CLOCK = timedelta(seconds=60)
DOUBTFUL_CLOCK = timedelta(seconds=20)
_KINDS = {"LOGIN": "LINE Login channel", "MESSAGING": "Messaging API channel"}
_CONSOLE = "LINE Developers console, the channel's Basic settings"


def _is_one_channel(visit: Visit) -> Said:
    config = visit.line.config
    if config.login_channel_id != config.messaging_channel_id:
        return fine("login and messages have a channel each")
    return wrong(
        f"LINECONNECT_LOGIN_CHANNEL_ID and LINECONNECT_MESSAGING_CHANNEL_ID are both "
        f"{config.login_channel_id}, and LINE has no channel that does both",
        "make a LINE Login channel and a Messaging API channel under one provider, and set the "
        "ID and the secret of each",
    )


def _messaging_channel(visit: Visit) -> Said:
    config = visit.line.config
    return _credentials(visit, visit.messaging_token, config.messaging_channel_id, "MESSAGING")


def _login_channel(visit: Visit) -> Said:
    config = visit.line.config
    return _credentials(visit, visit.login_token, config.login_channel_id, "LOGIN")


def _credentials(visit: Visit, token: str | None, channel_id: str, word: str) -> Said:
    kind = _KINDS[word]
    if token is not None:
        return fine(f"LINE takes the ID and the secret of the {kind} {channel_id}")
    if _are_secrets_swapped(visit):
        return wrong(
            f"LINE takes the ID {channel_id} with the secret of the other channel: the two "
            "channels' secrets, or their IDs, are swapped",
            "swap LINECONNECT_LOGIN_CHANNEL_SECRET and LINECONNECT_MESSAGING_CHANNEL_SECRET, or "
            "the two IDs",
        )
    return wrong(
        f"LINE refuses the ID {channel_id} with the secret of the {kind}",
        f"copy LINECONNECT_{word}_CHANNEL_ID and LINECONNECT_{word}_CHANNEL_SECRET from "
        f"{_CONSOLE}; a secret that was issued anew there ends the old one",
    )


def _are_secrets_swapped(visit: Visit) -> bool:
    """Tell whether LINE takes each channel's ID with the other one's secret."""
    config = visit.line.config
    if visit.login_token is not None or visit.messaging_token is not None:
        return False
    crosswise = (
        (config.login_channel_id, config.messaging_channel_secret),
        (config.messaging_channel_id, config.login_channel_secret),
    )
    return all(visit.token(*pair) is not None for pair in crosswise)


def _kinds(visit: Visit) -> Said:
    config = visit.line.config
    has_bot, has_apps = visit.has_bot(), visit.has_apps()
    if has_bot and has_apps:
        return fine("each channel is of its kind")
    if not has_bot and not has_apps:
        text = (
            f"channel {config.messaging_channel_id} has no official account and channel "
            f"{config.login_channel_id} no LIFF apps: the two seem to be swapped"
        )
        return wrong(text, "swap the LINECONNECT_LOGIN_… and the LINECONNECT_MESSAGING_… settings")
    if not has_bot:
        return wrong(
            f"LINECONNECT_MESSAGING_CHANNEL_ID {config.messaging_channel_id} is no Messaging API "
            "channel: LINE knows no official account of it",
            "set the ID and the secret of the Messaging API channel of your official account",
        )
    return wrong(
        f"LINECONNECT_LOGIN_CHANNEL_ID {config.login_channel_id} is no LINE Login channel: LINE "
        "tells it of no LIFF apps",
        "set the ID and the secret of the LINE Login channel of the same provider",
    )


def _long_lived_token(visit: Visit) -> Said | None:
    config = visit.line.config
    if config.channel_access_token is None:
        return None
    without = (
        "unset LINECONNECT_CHANNEL_ACCESS_TOKEN, and short tokens are fetched with the channel's "
        "ID and secret; or issue a new one in LINE's console"
    )
    if not config.channel_access_token.isascii() or not config.channel_access_token.isprintable():
        return wrong("LINECONNECT_CHANNEL_ACCESS_TOKEN has signs that no token has", without)
    answer = visit.form("/v2/oauth/verify", {"access_token": config.channel_access_token})
    if answer.status != HTTPStatus.OK:
        return _maybe_of_another_kind(visit, config.channel_access_token, without)
    channel_id, seconds = answer.content.get("client_id"), answer.content.get("expires_in")
    if str(channel_id) != config.messaging_channel_id:
        return wrong(
            "LINECONNECT_CHANNEL_ACCESS_TOKEN is of another channel than "
            f"LINECONNECT_MESSAGING_CHANNEL_ID {config.messaging_channel_id}",
            without,
        )
    info = visit.ask("/v2/bot/info", bearer=config.channel_access_token, also=REFUSED)
    if info.status != HTTPStatus.OK:
        text = "LINE knows LINECONNECT_CHANNEL_ACCESS_TOKEN, and takes it from another place only"
        mend = "add this machine's address to the IP allow list in LINE's console (Security); or "
        return wrong(text, mend + without)
    return _end(seconds, without)


def _maybe_of_another_kind(visit: Visit, token: str, mend: str) -> Said:
    # LINE's question for long-lived tokens knows none of kind v2.1 and no stateless one.
    query = {"access_token": token}
    answer = visit.ask("/oauth2/v2.1/verify", bearer=token, query=query, also=REFUSED)
    if answer.status == HTTPStatus.OK:
        return _end(answer.content.get("expires_in"), mend)
    if visit.ask("/v2/bot/info", bearer=token, also=REFUSED).status == HTTPStatus.OK:
        text = "LINECONNECT_CHANNEL_ACCESS_TOKEN works, and is of a kind that ends within minutes"
        return wrong(text, mend)
    return wrong("LINE refuses LINECONNECT_CHANNEL_ACCESS_TOKEN: it ended or was revoked", mend)


def _end(seconds: object, mend: str) -> Said:
    if not isinstance(seconds, int | float) or seconds > SOON.total_seconds():
        return fine("LINE takes LINECONNECT_CHANNEL_ACCESS_TOKEN")
    hours = max(0, int(seconds // 3600))
    text = f"LINECONNECT_CHANNEL_ACCESS_TOKEN ends in {hours} hours, and every message with it"
    return doubtful(text, mend)


def _clock(visit: Visit) -> Said:
    answer = visit.form("/v2/oauth/verify", {"access_token": "none"})
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return unasked("LINE's answer has no time", "compare this machine's clock by hand")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    skew = visit.line.clock() - theirs
    if abs(skew) < DOUBTFUL_CLOCK:
        return fine("this machine's clock is LINE's")
    way = "ahead of" if skew > timedelta(0) else "behind"
    text = f"this machine's clock is {int(abs(skew).total_seconds())} seconds {way} LINE's"
    mend = "let the clock be set by NTP (`timedatectl set-ntp true`)"
    if abs(skew) < WRONG_CLOCK:
        return doubtful(f"{text}; from a minute on no login can end", mend)
    return wrong(f"{text}, so LINE's word on who somebody is counts as too old or too new", mend)


CHECKS = (
    Check("same-channel", _is_one_channel),
    Check("messaging-channel", _messaging_channel, asks=True),
    Check("login-channel", _login_channel, asks=True),
    Check("channel-kinds", _kinds, asks=True),
    Check("access-token", _long_lived_token, asks=True),
    Check("clock", _clock, asks=True),
)
