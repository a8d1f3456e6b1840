"""Narrowcasts: accepted at once, delivered after a while, and told about meanwhile.

Source: Messaging API reference, "Send narrowcast message", "Get narrowcast message status".
"""

from __future__ import annotations

import random
import threading
from datetime import datetime
from datetime import timedelta
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..api_errors import refuse_if
from ..checks import Checker
from ..platform import Platform
from ..platform import platform
from ..request_ids import request_id
from ..requests_in import json_body
from ..times import iso_time
from ..tokens.guard import messaging_api
from ..world import Narrowcast
from .message_checks import check_messages
from .narrowcast_recipients import check_recipient
from .narrowcast_recipients import matches
from .narrowcast_recipients import named_audiences
from .narrowcast_recipients import recipients
from .quota import left_this_month
from .quota import spend
from .retry_keys import refuse_accepted
from .retry_keys import remember_accepted
from .sending import send

PROGRESS_LIFE = timedelta(days=14)
TOO_FEW, AUDIENCE_TOO_SMALL, PARTIAL_FORBIDDEN = 2, 4, 5
#: LINE documents the numbers; the words are ours.
FAILURES = {
    1: "The remaining quota does not suffice",
    TOO_FEW: "There are not enough recipients",
    AUDIENCE_TOO_SMALL: "An audience has too few recipients",
    PARTIAL_FORBIDDEN: "Only a part of the recipients could be reached",
}

narrowcasts = messaging_api("narrowcasts", "/v2/bot/message")


@narrowcasts.before_app_request
def _deliver_due() -> None:
    """Let what is due happen before any request."""
    deliver_due(platform())


@narrowcasts.post("/narrowcast")
def narrowcast() -> tuple[Response, int]:
    """Accept messages to friends who are meant by audiences and filters."""
    body, line = json_body(), platform()
    _check(body)
    with line.change() as world:
        refuse_accepted(line)
        reach = _reach(line, body)
        channel, now = world.messaging_channel, line.clock.now()
        if "filter" in body and len(reach) < channel.minimum_reach:
            raise ApiError(403, "Your account does not have enough friends")
        wait = timedelta(seconds=channel.narrowcast_seconds)
        accepted = Narrowcast(
            request_id=request_id(),
            accepted_at=now,
            body=body,
            reserved=_capped(line, body, len(reach)),
            starts_at=now + wait,
            completes_at=now + 2 * wait,
        )
        world.narrowcasts[accepted.request_id] = accepted
        remember_accepted(line)
    _look_later(line, 2 * channel.narrowcast_seconds)
    return jsonify({}), 202


@narrowcasts.get("/progress/narrowcast")
def progress() -> Response:
    """Tell how far a narrowcast is; its counts are missing while it waits."""
    line = platform()
    with line.lock:
        found = line.world.narrowcasts.get(request.args.get("requestId", ""))
        now = line.clock.now()
        if found is None or found.accepted_at + PROGRESS_LIFE <= now:
            raise ApiError(404, "Not found")
        return jsonify(_progress_json(found, now))


def deliver_due(line: Platform) -> None:
    """Deliver the narrowcasts whose waiting is over."""
    with line.lock:
        now = line.clock.now()
        due = [
            one
            for one in line.world.narrowcasts.values()
            if not one.is_sent and one.starts_at <= now
        ]
        for one in due:
            _deliver(line, one)


def _check(body: dict[str, Any]) -> None:
    checker = Checker()
    checker.details += check_messages(body.get("messages"))
    check_recipient(checker, body)
    limit = checker.inner(body, "limit", "", required=False) or {}
    if limit.get("max") is not None:
        checker.number(limit, "max", "limit", 1, 2**31 - 1)
    refuse_if(checker.details)
    if limit.get("forbidPartialDelivery") and not limit.get("upToRemainingQuota"):
        raise ApiError(
            400, "The option forbidPartialDelivery must be used with upToRemainingQuota."
        )


def _reach(line: Platform, body: dict[str, Any]) -> list[str]:
    """Return the friends whom recipient and filter mean."""
    found = recipients(line, body.get("recipient"))
    demographic = (body.get("filter") or {}).get("demographic")
    if demographic is not None:
        now = line.clock.now()
        found = {one for one in found if matches(line.world.users[one], demographic, now)}
    return sorted(found)


def _capped(line: Platform, body: dict[str, Any], count: int) -> int:
    limit = body.get("limit") or {}
    count = min(count, limit.get("max") or count)
    left = left_this_month(line)
    return min(count, left) if limit.get("upToRemainingQuota") and left is not None else count


def _deliver(line: Platform, narrowcast: Narrowcast) -> None:
    with line.change():
        narrowcast.is_sent = True
        try:
            reach = _reach(line, narrowcast.body)
        except ApiError:
            # An audience was deleted meanwhile.
            reach = []
        narrowcast.error_code = _error(line, narrowcast.body, reach)
        if narrowcast.error_code is not None:
            return
        random.shuffle(reach)
        targets = reach[: _capped(line, narrowcast.body, len(reach))]
        try:
            spend(line, len(targets))
        except ApiError:
            narrowcast.error_code = 1
            return
        narrowcast.targets = targets
        messages = narrowcast.body["messages"]
        send(line, "narrowcast", narrowcast.request_id, targets, messages)


def _error(line: Platform, body: dict[str, Any], reach: list[str]) -> int | None:
    channel, limit = line.world.messaging_channel, body.get("limit") or {}
    if limit.get("forbidPartialDelivery") and _capped(line, body, len(reach)) < len(reach):
        return PARTIAL_FORBIDDEN
    audiences = [line.world.audiences.get(one) for one in named_audiences(body.get("recipient"))]
    known = [one for one in audiences if one is not None]
    if known and all(one.type == "UPLOAD" for one in known) and "filter" not in body:
        # Whoever uploads ids knows them already: nothing is to be kept private.
        return None if reach else TOO_FEW
    small = [one for one in known if len(one.user_ids) < channel.minimum_recipients]
    if len(known) > 1 and small:
        return AUDIENCE_TOO_SMALL
    return TOO_FEW if len(reach) < channel.minimum_recipients else None


def _look_later(line: Platform, seconds: float) -> None:
    """Let it happen in time also when nobody asks."""
    timer = threading.Timer(seconds, deliver_due, [line])
    timer.daemon = True
    timer.start()


def _progress_json(found: Narrowcast, now: datetime) -> dict[str, Any]:
    is_done = found.is_sent and (found.error_code is not None or found.completes_at <= now)
    answer: dict[str, Any] = {"acceptedTime": iso_time(found.accepted_at)}
    if is_done:
        answer["completedTime"] = iso_time(max(found.completes_at, found.starts_at))
    if found.error_code is not None:
        failure = FAILURES[found.error_code]
        return answer | {
            "phase": "failed",
            "failedDescription": failure,
            "errorCode": found.error_code,
        }
    if not found.is_sent:
        return answer | {"phase": "waiting"}
    count = len(found.targets)
    phase = "succeeded" if is_done else "sending"
    counts = {"successCount": count, "failureCount": 0, "targetCount": count}
    return answer | {"phase": phase} | counts
