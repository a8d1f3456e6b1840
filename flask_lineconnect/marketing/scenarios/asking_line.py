"""LINE's own look at the messages of scenarios: each with the longest values, in each language.

What is refused has the place in what the owner wrote, and LINE's words beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from ...line_api.validating import Complaint
from ...messages.cards import CouponCard
from ...messages.cards import NoteCard
from ...messages.cards import ProductCards
from ...messages.drafts import Draft
from ...messages.drafts import FlexDraft
from ...messages.drafts import ImageDraft
from ...messages.drafts import specimens
from .checking import ALWAYS
from .checking import Checked
from .checking import Problem
from .checking import World
from .definition import OnEvent
from .definition import Scenario

#: Asks LINE about messages; see ``line_api/validating.py``.
Validate = Callable[[Sequence[Mapping[str, Any]]], Sequence[Complaint]]
#: What the owner calls a part of an action.
_OF_ACTION = {"uri": "url", "label": "label", "text": "text"}
_INDEX = re.compile(r"\[(\d+)\]")
_QUICK_REPLY = re.compile(r"quickReply\.items\[(\d+)\]\.action(?:\.(\w+))?.*")


def ask_line(
    checked: Checked,
    world: World,
    validate: Validate,
    *,
    at_hand: Iterable[Mapping[str, Any]] = (),
) -> tuple[Problem, ...]:
    """Ask LINE about the messages of a scenario in which nothing else is wrong.

    :param at_hand: facts of events of before, by which the longest values are found.
    :raises LineApiError: LINE did not say.
    """
    scenario = checked.scenario
    variables = {**ALWAYS, **world.attributes, **_facts(scenario, world)}
    known = list(at_hand)
    problems: list[Problem] = []
    for step, drafts in checked.drafts.items():
        for number, draft in enumerate(drafts):
            place = f"{scenario.name}.steps.{step}.message"
            where = f"{place}[{number}]" if len(drafts) > 1 else place
            found = specimens(
                draft,
                variables,
                languages=world.languages,
                manner=world.manner,
                at_hand=known,
            )
            problems += _problems(draft, where, found, validate)
    return tuple(problems)


def _facts(scenario: Scenario, world: World) -> Mapping[str, Any]:
    start = scenario.start
    if isinstance(start, OnEvent) and start.event in world.kinds:
        return world.kinds.get(start.event).types
    return {}


def _problems(
    draft: Draft, place: str, messages: Iterable[tuple[str, Any]], validate: Validate
) -> Iterator[Problem]:
    asked: set[str] = set()
    for language, message in messages:
        written = json.dumps(message, sort_keys=True)
        # One wording for several languages.
        if written not in asked:
            asked.add(written)
            for one in validate([message]):
                inside = place_in(draft, one.path)
                yield Problem(f"{place}{inside} ({language})", f"LINE says: {one.text}")


def place_in(draft: Draft, path: str) -> str:
    """Return where in an owner's draft a part of LINE's message comes from.

    :param path: as LINE writes it, from the message on; empty for all of it.
    """
    reply = _QUICK_REPLY.fullmatch(path)
    if reply is not None:
        word = _OF_ACTION.get(reply[2] or "", "")
        return f".quick_replies[{reply[1]}]" + (f".{word}" if word else "")
    if path == "altText":
        return ".text" if isinstance(draft.body, NoteCard) else ".alt_text"
    if not path:
        return ""
    match draft.body:
        case FlexDraft():
            inner = path.removeprefix("contents").replace(".", "/")
            return ".flex" + _INDEX.sub(r"/\1", inner)
        case ImageDraft():
            return ".image"
        case ProductCards():
            return _of_card(path, ".products")
        case CouponCard():
            return _of_card(path, ".coupon")
        case NoteCard():
            return _of_card(path, ".text")
    return f".{path}"


def _of_card(path: str, body: str) -> str:
    """Return whether it is the button of a card that we make, or all else on it."""
    return ".button" if "footer" in path or "action" in path else body
