"""LINE's webhook: where it goes, whether it is on, what the shop answers, and how fast.

Source: Messaging API reference, "Webhook settings"; "Receive messages (webhook)".
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from ..errors import LineApiError
from ..webhooks.signature import BAD_SIGNATURE
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import plain_address
from .findings import untold
from .findings import wrong
from .visit import Visit

#: LINE waits for two seconds; half of them on a quiet day leaves nothing for a busy one.
SLOW_SECONDS = 1.0
_CONSOLE = "LINE Developers console, the Messaging API channel, Messaging API"
_ENDPOINT = "/v2/bot/channel/webhook/endpoint"


def _address(visit: Visit) -> Said:
    answer = visit.bot(_ENDPOINT, HTTPStatus.NOT_FOUND)
    wanted = visit.line.url_for("lineconnect.webhook")
    mend = "run `flask line setup`, which tells LINE, or mend LINECONNECT_BASE_URL"
    if answer.status == HTTPStatus.NOT_FOUND:
        return wrong("LINE has no webhook address, so no message reaches the shop", mend)
    found = plain_address(answer.content.get("endpoint"))
    if found == wanted:
        return fine(f"LINE sends webhooks to {wanted}")
    return wrong(
        f"LINE sends webhooks to {found}, and this shop takes them at {wanted}; one channel has "
        "one address, so another shop or tool has it now",
        mend,
    )


def _is_on(visit: Visit) -> Said | None:
    answer = visit.bot(_ENDPOINT, HTTPStatus.NOT_FOUND)
    if answer.status != HTTPStatus.OK:
        return None
    if answer.content.get("active") is True:
        return fine("Use webhook is on")
    return wrong(
        "Use webhook is off, so LINE sends nothing to the shop and no hook answers",
        f"switch Use webhook on in {_CONSOLE}",
    )


def _answer(visit: Visit) -> Said | None:
    tried = visit.tried_webhook
    if tried.answer.status != HTTPStatus.OK:
        return None
    content = tried.answer.content
    if content.get("success") is True:
        return fine("the shop answered when LINE tried the webhook")
    reason, status = str(content.get("reason")), content.get("statusCode")
    if reason == "ERROR_STATUS_CODE" and isinstance(status, int):
        return wrong(f"the shop answered LINE's webhook with {status}", _mend(visit, status))
    if reason == "REQUEST_TIMEOUT":
        return wrong(
            "the shop did not answer LINE's webhook in time",
            "look for what waits: a guard of the app, the database, too few threads of the server",
        )
    return wrong(
        f"LINE could not reach the webhook ({_word(reason)})",
        "look whether the server runs, is reached from the internet under LINECONNECT_BASE_URL, "
        "and has a certificate with its whole chain that phones trust",
    )


def _mend(visit: Visit, status: int) -> str:
    if status == HTTPStatus.BAD_REQUEST and _is_refused_by_another(visit):
        return (
            "it is not the signature: something refuses before the webhook sees it (protection "
            "against CSRF, a guard of the app); let the endpoint lineconnect.webhook past it"
        )
    if status == HTTPStatus.BAD_REQUEST:
        return (
            "the signature does not match: copy LINECONNECT_MESSAGING_CHANNEL_SECRET from the "
            "Messaging API channel's Basic settings, and let no proxy change the body"
        )
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return (
            "another app answers, or a proxy changes the path: compare LINECONNECT_BASE_URL and "
            "LINECONNECT_URL_PREFIX with where the shop is"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "look into the shop's log: the database does not answer, or lacks our tables"
    return (
        "something before the shop's webhook asks for a login, a token or another address: let "
        "the endpoint lineconnect.webhook past guards, and POST to its path past proxies"
    )


def _is_refused_by_another(visit: Visit) -> bool:
    """Tell whether the shop refuses what nobody signed in other words than the webhook's own."""
    line = visit.line
    base = urlsplit(line.config.base_url)
    path = line.url_for("lineconnect.webhook").removeprefix(f"{base.scheme}://{base.netloc}")
    try:
        answer = visit.own(path, method="POST")
    except LineApiError:
        return False
    return answer.text.strip() != BAD_SIGNATURE


def _word(reason: str) -> str:
    return reason.lower() if reason.replace("_", "").isalpha() and len(reason) < 40 else "unknown"


def _speed(visit: Visit) -> Said | None:
    tried = visit.tried_webhook
    if tried.answer.content.get("success") is not True:
        return None
    if tried.seconds < SLOW_SECONDS:
        return fine(f"LINE's try of the webhook took {tried.seconds:.1f} seconds")
    return doubtful(
        f"LINE's try of the webhook took {tried.seconds:.1f} seconds, and LINE gives up after two",
        "look for what waits before the webhook: a guard of the app, the database's connection "
        "pool, too few threads of the server, a server that sleeps",
    )


def _redelivery(visit: Visit) -> Said:
    return untold(
        "LINE's API does not tell whether Webhook redelivery is on; without it, what customers "
        "write while the shop restarts is lost",
        f"switch Webhook redelivery on in {_CONSOLE}; an event that comes twice is answered once",
    )


CHECKS = (
    Check("webhook-address", _address, asks=True),
    Check("webhook-switch", _is_on, asks=True),
    Check("webhook-answer", _answer, asks=True),
    Check("webhook-speed", _speed, asks=True),
    Check("webhook-redelivery", _redelivery, asks=True),
)
