"""Reads campaigns from what TOML, JSON or Python wrote; every refusal names the place.

::

    [autumn]
    label = "秋の新茶"
    to = {segment = "tea_lovers"}
    category = "news"
    at = 2026-12-05T10:00:00
    hold_out = 10
    unless_sent = [{category = "advertising", days = 3}]

    [[autumn.variants]]
    name = "plain"
    message = "秋の新茶が入りました。"

    [[autumn.variants]]
    name = "named"
    message = "{{ name }}様、秋の新茶が入りました。"

Reading looks at the form alone. Whether there are such segments, values and limits:
``checking.py``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from typing import NoReturn

from ...errors import UsageError
from ..calendar.times import Recurring
from ..calendar.words import read_time
from ..said import Said
from ..segments.errors import InvalidRule
from ..segments.rules import read_rule
from ..segments.rules import write_rule
from .definition import Audience
from .definition import Definition
from .definition import Everybody
from .definition import InvalidCampaign
from .definition import SentLately
from .definition import Tracked
from .definition import Variant
from .names import NAME

MAX_VARIANTS, MAX_WEIGHT, MAX_HOLD_OUT, MAX_DAYS = 10, 10_000, 90, 400
_WORDS = (
    *("label", "to", "category", "at", "message", "variants"),
    *("hold_out", "tracked", "unless_sent", "expires"),
)
_KINDS = ("campaign", "scenario", "category")


def campaigns_of_file(path: Path, *, home: str = "") -> tuple[Definition, ...]:
    """Read the campaigns of a TOML or JSON file, a table for each.

    :raises UsageError: there is no such file, it is neither, or a campaign can't be read.
    """
    try:
        text = path.read_text("utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(f"{path} is no {kind}: {error}") from None
    if not isinstance(data, Mapping):
        raise UsageError(f"{path}: a table for each campaign is needed")
    return read_campaigns(data, home=home)


def read_campaigns(data: Mapping[str, Any], *, home: str = "") -> tuple[Definition, ...]:
    """Read several campaigns by their names.

    :raises InvalidCampaign: one can't be read; names the place.
    """
    return tuple(read_campaign(name, one, home=home) for name, one in data.items())


def read_campaign(name: str, data: object, *, home: str = "") -> Definition:
    """Read one campaign.

    :raises InvalidCampaign: it can't be read; names the place.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidCampaign("a name has small letters, digits and underscores", place=str(name))
    said = Said(data, name, _WORDS, InvalidCampaign)
    return Definition(
        name=name,
        label=said.label(),
        to=_audience(said),
        variants=_variants(said),
        category=said.text("category", "news"),
        at=_at(said),
        hold_out=said.number("hold_out", 0, MAX_HOLD_OUT) or 0,
        tracked=said.choice("tracked", Tracked.NO),
        unless_sent=_unless_sent(said),
        expires=said.duration("expires"),
        home=home,
    )


def write_campaign(definition: Definition) -> dict[str, Any]:
    """Return a campaign as JSON has it; reading it gives the same one."""
    to = definition.to
    [first, *others] = definition.variants
    is_one = not others and not first.name
    written: dict[str, Any] = {
        "label": str(definition.label),
        "to": to.value if isinstance(to, Everybody) else write_rule(to),
        "category": definition.category,
    }
    if is_one:
        written["message"] = json.loads(first.message)
    else:
        written["variants"] = [
            {"name": one.name, "weight": one.weight, "message": json.loads(one.message)}
            for one in definition.variants
        ]
    at, unless_sent = definition.at, definition.unless_sent
    more = {
        "at": at.isoformat() if isinstance(at, datetime) else at and str(at),
        "hold_out": definition.hold_out or None,
        "tracked": definition.tracked.value if definition.tracked is not Tracked.NO else None,
        "unless_sent": [{one.kind: one.name, "days": one.days} for one in unless_sent] or None,
        "expires": definition.expires and str(definition.expires),
    }
    return written | {word: value for word, value in more.items() if value is not None}


def _audience(said: Said) -> Audience:
    found = said.data.get("to")
    if isinstance(found, str):
        kinds = [one.value for one in Everybody]
        if found not in kinds:
            said.fail(f"a rule is needed, such as {{segment = …}}, or {' or '.join(kinds)}", "to")
        return Everybody(found)
    if found is None:
        said.fail("says for whom it is: linked, friends, or a rule such as {segment = …}", "to")
    try:
        return read_rule(found)
    except InvalidRule as error:
        said.fail(error.message, f"to.{error.place}" if error.place else "to")


def _variants(said: Said) -> tuple[Variant, ...]:
    several, one = said.data.get("variants"), said.data.get("message")
    if (several is None) == (one is None):
        said.fail("exactly one of message, variants says what is sent")
    if several is None:
        return (Variant("", 1, said.as_json("message")),)
    if not isinstance(several, list | tuple) or not 2 <= len(several) <= MAX_VARIANTS:
        said.fail(f"a list of 2 to {MAX_VARIANTS} variants is needed", "variants")
    found = tuple(
        _variant(each, f"{said.place}.variants[{number}]") for number, each in enumerate(several)
    )
    if len({each.name for each in found}) < len(found):
        said.fail("two variants have the same name", "variants")
    return found


def _variant(data: object, place: str) -> Variant:
    said = Said(data, place, ("name", "weight", "message"), InvalidCampaign)
    name = said.text("name")
    if not NAME.fullmatch(name) or len(name) > 40:
        said.fail("a name has small letters, digits and underscores, at most 40", "name")
    if said.data.get("message") is None:
        said.fail("must be said", "message")
    return Variant(name, said.number("weight", 1, MAX_WEIGHT) or 1, said.as_json("message"))


def _at(said: Said) -> datetime | Recurring | None:
    found = said.data.get("at")
    if found is None or isinstance(found, datetime):
        return found
    if not isinstance(found, str):
        _no_time(said)
    try:
        return datetime.fromisoformat(found)
    except ValueError:
        pass
    try:
        read = read_time(found)
    except UsageError as error:
        said.fail(str(error), "at")
    if not isinstance(read, Recurring):
        _no_time(said)
    return read


def _no_time(said: Said) -> NoReturn:
    said.fail("a moment is needed, 2026-12-05 10:00, or one that comes again: every …", "at")


def _unless_sent(said: Said) -> tuple[SentLately, ...]:
    found: Sequence[Any] = said.data.get("unless_sent") or ()
    if not isinstance(found, list | tuple):
        said.fail("a list is needed, such as [{category = …, days = 7}]", "unless_sent")
    return tuple(
        _sent_lately(one, f"{said.place}.unless_sent[{number}]") for number, one in enumerate(found)
    )


def _sent_lately(data: object, place: str) -> SentLately:
    said = Said(data, place, (*_KINDS, "days"), InvalidCampaign)
    given = [kind for kind in _KINDS if said.data.get(kind) is not None]
    if len(given) != 1:
        said.fail(f"exactly one of {', '.join(_KINDS)} is needed")
    days = said.number("days", 1, MAX_DAYS)
    if days is None:
        said.fail("must be said: of how many days", "days")
    return SentLately(given[0], said.text(given[0]), days)
