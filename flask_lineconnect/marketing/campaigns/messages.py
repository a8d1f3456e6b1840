"""The messages of a campaign's variants: read once, then written for one reader after the other."""

from __future__ import annotations

from ...i18n import languages
from ...state import LineState
from ..scenarios.cards import manner_for
from ..scenarios.checking import ALWAYS
from ..scenarios.checking import World
from ..scenarios.definition import Step
from ..scenarios.published import Definitions
from ..scenarios.wordings import OF_SHOP
from ..scenarios.wordings import StepMessages
from ..scenarios.wordings import own_values
from .definition import Definition
from .definition import Tracked
from .definition import Variant


def messages_for(line: LineState) -> StepMessages:
    """Return what reads and writes the messages of a campaign."""
    world = World.of(line)
    types = {**ALWAYS, **world.attributes}
    known = world.known_beside(types)
    return StepMessages(types, {}, frozenset(), known)


def messages_of(line: LineState, campaign_id: int) -> StepMessages:
    """Return the messages of a campaign that began, which never change; read once by a process."""
    made = line.part(Definitions).made
    key = ("campaign", campaign_id, "")
    if key not in made:
        made[key] = messages_for(line)
    found: StepMessages = made[key]
    return found


def step_of(variant: Variant) -> Step:
    """Return a variant in the shape in which scenarios have their messages."""
    return Step(variant.name or "message", message=variant.message)


def is_personal(definition: Definition, messages: StepMessages) -> bool:
    """Tell whether each person gets another message: a name, points, products, links of their own.

    :raises InvalidDraft: a value that a message names is gone.
    """
    steps = [step_of(variant) for variant in definition.variants]
    names_values = any(
        messages.asks_shop(step) or not messages.names(step) <= {OF_SHOP} for step in steps
    )
    return names_values or definition.tracked is Tracked.PERSONAL


def write_equal(line: LineState, messages: StepMessages, variant: Variant, language: str) -> str:
    """Return a variant that is the same for all readers of a language, as JSON that goes to LINE.

    :raises InvalidMessage: it is outside LINE's limits.
    """
    step = step_of(variant)
    own = own_values(line, messages.names(step), None, language)
    return messages.write(step, own, manner_for(line, language))


def reader_languages() -> tuple[str, ...]:
    """Return the languages of readers; the first is that of whoever chose none."""
    return tuple(languages())
