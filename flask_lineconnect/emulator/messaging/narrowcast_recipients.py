"""Who gets a narrowcast: audiences, earlier deliveries, and what is known of people.

Source: Messaging API reference, "Send narrowcast message", "Recipient object", "Demographic
filter object".
"""

from __future__ import annotations

import re
from datetime import datetime
from datetime import timedelta
from typing import Any

from ..api_errors import ApiError
from ..audiences.states import status_of
from ..checks import Checker
from ..checks import Json
from ..platform import Platform
from ..world import User

MAX_RECIPIENTS, MAX_DEMOGRAPHICS = 10, 10
REDELIVERY_LIFE = timedelta(days=14)
_OPERATORS = ("and", "or", "not")
_GENDERS, _APP_TYPES = ("male", "female"), ("ios", "android")
_AGES = tuple(f"age_{years}" for years in range(15, 75, 5))
_PERIODS = ("day_7", "day_30", "day_90", "day_180", "day_365")
_AREA = re.compile(r"(jp_(0[1-9]|[1-3]\d|4[0-7])|(tw|th)_\d\d)")
_TYPES = ("operator", "audience", "redelivery")
_DEMOGRAPHICS = ("operator", "gender", "age", "appType", "area", "subscriptionPeriod")


def check_recipient(checker: Checker, body: Json) -> None:
    """Note what is wrong with the form of recipient and filter."""
    _check(checker, body, "recipient", _TYPES, MAX_RECIPIENTS, _check_recipient_leaf)
    demographic = checker.inner(body, "filter", "", required=False)
    if demographic is not None:
        _check(
            checker, demographic, "demographic", _DEMOGRAPHICS, MAX_DEMOGRAPHICS, _check_demographic
        )


def named_audiences(recipient: Json | None) -> list[int]:
    """Return the audiences that a recipient names."""
    return [leaf["audienceGroupId"] for leaf in _leaves(recipient) if leaf["type"] == "audience"]


def recipients(line: Platform, recipient: Json | None) -> set[str]:
    """Return the friends whom a recipient means; all friends without one.

    :raises ApiError: it names an audience or a request that can't be used.
    """
    everybody = {user.user_id for user in line.world.users.values() if user.relation == "friend"}
    return everybody if recipient is None else _evaluated(line, recipient, everybody) & everybody


def matches(user: User, demographic: Json, now: datetime) -> bool:
    """Tell whether somebody is one whom a demographic filter means."""
    kind = demographic["type"]
    if kind == "operator":
        operator, inner = _operands(demographic)
        if operator == "not":
            return not matches(user, inner[0], now)
        return (all if operator == "and" else any)(matches(user, one, now) for one in inner)
    if kind == "age":
        return _is_between(user.age, demographic, _AGES)
    if kind == "subscriptionPeriod":
        return _is_between(_period_of(user, now), demographic, _PERIODS)
    known = {"gender": user.gender, "appType": user.app_type, "area": user.area}[kind]
    return known in demographic["oneOf"]


def _evaluated(line: Platform, recipient: Json, everybody: set[str]) -> set[str]:
    kind = recipient["type"]
    if kind == "audience":
        return _members(line, recipient["audienceGroupId"])
    if kind == "redelivery":
        return _reached_before(line, recipient["requestId"])
    operator, inner = _operands(recipient)
    sets = [_evaluated(line, one, everybody) for one in inner]
    if operator == "not":
        return everybody - sets[0]
    return set.intersection(*sets) if operator == "and" else set.union(*sets)


def _members(line: Platform, audience_id: int) -> set[str]:
    audience = line.world.audiences.get(audience_id)
    if audience is None or status_of(line, audience) != "READY":
        raise ApiError(400, f"Invalid audience group id: {audience_id}")
    return set(audience.user_ids)


def _reached_before(line: Platform, request_id: str) -> set[str]:
    narrowcast = line.world.narrowcasts.get(request_id)
    now = line.clock.now()
    is_done = (
        narrowcast is not None
        and narrowcast.error_code is None
        and narrowcast.completes_at <= now < narrowcast.accepted_at + REDELIVERY_LIFE
    )
    if narrowcast is None or not is_done:
        raise ApiError(400, f"Invalid request id: {request_id}")
    return set(narrowcast.targets)


def _operands(node: Json) -> tuple[str, list[Json]]:
    operator = next(name for name in _OPERATORS if name in node)
    inner = node[operator]
    return operator, inner if isinstance(inner, list) else [inner]


def _leaves(node: Json | None) -> list[Json]:
    if node is None:
        return []
    if node["type"] != "operator":
        return [node]
    return [leaf for inner in _operands(node)[1] for leaf in _leaves(inner)]


def _is_between(value: str | None, demographic: Json, known: tuple[str, ...]) -> bool:
    if value is None:
        return False
    place, low, high = known.index(value), demographic.get("gte"), demographic.get("lt")
    is_high_enough = low is None or place >= known.index(low)
    return is_high_enough and (high is None or place < known.index(high))


def _period_of(user: User, now: datetime) -> str | None:
    days = 0 if user.befriended_at is None else (now - user.befriended_at).days
    passed = [name for name in _PERIODS if days >= int(name.removeprefix("day_"))]
    return passed[-1] if passed else None


def _check(
    checker: Checker, holder: Json, name: str, types: tuple[str, ...], most: int, check_leaf: Any
) -> None:
    node = checker.inner(holder, name, "", required=False)
    if node is not None:
        count = _check_node(checker, node, name, types, check_leaf)
        if count > most:
            checker.add(f"Size must be between 1 and {most}", name)


def _check_node(
    checker: Checker, node: Json, where: str, types: tuple[str, ...], check_leaf: Any
) -> int:
    """Check one node and those in it; return how many leaves it has."""
    if not checker.one_of(node, "type", where, types):
        return 0
    if node["type"] != "operator":
        check_leaf(checker, node, where)
        return 1
    given = [name for name in _OPERATORS if name in node]
    if len(given) != 1:
        checker.add("must have exactly one of and, or, not", where)
        return 0
    inner = node[given[0]]
    nodes = inner if isinstance(inner, list) and given[0] != "not" else [inner]
    if not nodes or not all(isinstance(one, dict) for one in nodes):
        checker.add("must be specified", f"{where}.{given[0]}")
        return 0
    inside = f"{where}.{given[0]}"
    return sum(_check_node(checker, one, inside, types, check_leaf) for one in nodes)


def _check_recipient_leaf(checker: Checker, leaf: Json, where: str) -> None:
    if leaf["type"] == "audience":
        checker.number(leaf, "audienceGroupId", where, 0, 2**63 - 1)
    else:
        checker.text(leaf, "requestId", where, 100)


def _check_demographic(checker: Checker, leaf: Json, where: str) -> None:
    kind = leaf["type"]
    if kind in {"age", "subscriptionPeriod"}:
        known = _AGES if kind == "age" else _PERIODS
        for side in ("gte", "lt"):
            checker.one_of(leaf, side, where, known, required=False)
        if leaf.get("gte") is None and leaf.get("lt") is None:
            checker.add("must be specified", f"{where}.gte")
        return
    values = leaf.get("oneOf")
    allowed = {"gender": _GENDERS, "appType": _APP_TYPES}.get(kind)
    if not isinstance(values, list) or not values:
        checker.add("must be specified", f"{where}.oneOf")
    elif not all(_is_known(value, allowed) for value in values):
        checker.add("invalid value", f"{where}.oneOf")


def _is_known(value: object, allowed: tuple[str, ...] | None) -> bool:
    if not isinstance(value, str):
        return False
    return value in allowed if allowed is not None else _AREA.fullmatch(value) is not None
