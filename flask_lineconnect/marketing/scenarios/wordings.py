"""The messages of one scenario's steps: read once, then written for one reader after the other."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from ...i18n import languages
from ...i18n import speaking
from ...messages.cards import CouponCard
from ...messages.cards import ProductCards
from ...messages.draft_data import Known
from ...messages.draft_data import read_drafts
from ...messages.drafts import Draft
from ...messages.objects import JsonObject
from ...messages.word_filters import Manner
from ...messages.wording import Wording
from ...outbox.queue import to_json
from ...state import LineState
from ..event_kinds import EventKinds
from ..values import ValueType
from .checking import ALWAYS
from .checking import World
from .definition import OnEvent
from .definition import Scenario
from .definition import Step
from .published import Definitions
from .published import Published

#: The values that come from the member's own row, and from the shop itself.
OF_MEMBER = "name"
OF_SHOP = "shop_name"


@dataclass(slots=True)
class StepMessages:
    """The messages of one version's steps.

    :ivar types: of facts and attributes, by name.
    :ivar facts: the types of those that its event tells.
    :ivar product_facts: the names of those that hold keys of products.
    :ivar known: what the messages may name.
    """

    types: Mapping[str, ValueType]
    facts: Mapping[str, ValueType]
    product_facts: Collection[str]
    known: Known
    _drafts: dict[str, tuple[Draft, ...]] = field(default_factory=dict)
    _names: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Of steps whose messages name no value: by step and language.
    _fixed: dict[tuple[str, str], str] = field(default_factory=dict)

    def drafts(self, step: Step) -> tuple[Draft, ...]:
        """Return the messages of a step.

        :raises InvalidDraft: a value that one of them names is gone.
        """
        if step.name not in self._drafts:
            self._drafts[step.name] = read_drafts(json.loads(step.message or "[]"), self.known)
        return self._drafts[step.name]

    def names(self, step: Step) -> frozenset[str]:
        """Return the names of the values that a step's messages have."""
        if step.message is None:
            return frozenset()
        if step.name not in self._names:
            found = {name for one in wordings_of(self.drafts(step)) for name in one.names}
            bodies = (one.body for one in self.drafts(step))
            found |= {body.products for body in bodies if isinstance(body, ProductCards)}
            self._names[step.name] = frozenset(found)
        return self._names[step.name]

    def asks_shop(self, step: Step) -> bool:
        """Tell whether products or coupons are shown, for which the shop is asked."""
        is_card = any(isinstance(one.body, ProductCards | CouponCard) for one in self.drafts(step))
        return is_card or not self.names(step).isdisjoint(self.product_facts)

    def names_member(self, step: Step) -> bool:
        """Tell whether the member's own row is needed."""
        return step.message is not None and (OF_MEMBER in self.names(step) or self.asks_shop(step))

    def write(self, step: Step, values: Mapping[str, Any], manner: Manner) -> str:
        """Return a step's messages for one reader, as JSON that goes to LINE.

        :raises MissingValue: one names a value that is absent.
        :raises InvalidMessage: one is outside LINE's limits.
        """
        fixed = self._fixed.get((step.name, manner.language))
        if fixed is not None:
            return fixed
        written = to_json(self.objects(step, values, manner))
        if not self.names(step) and not self.asks_shop(step):
            self._fixed[step.name, manner.language] = written
        return written

    def objects(self, step: Step, values: Mapping[str, Any], manner: Manner) -> list[JsonObject]:
        """Return a step's messages for one reader, as LINE's message objects.

        :raises MissingValue: one names a value that is absent.
        :raises InvalidMessage: one is outside LINE's limits.
        """
        return [draft.render(values, manner) for draft in self.drafts(step)]


def messages_of(line: LineState, published: Published) -> StepMessages:
    """Return the messages of a version; read once by a process."""
    made = line.part(Definitions).made
    key = ("messages", published.version_id, published.digest)
    if key not in made:
        made[key] = messages_for(line, published.scenario)
    found: StepMessages = made[key]
    return found


def messages_for(line: LineState, scenario: Scenario) -> StepMessages:
    """Return the messages of a scenario, published or not."""
    world, start, kinds = World.of(line), scenario.start, line.part(EventKinds)
    facts, of_products = dict[str, ValueType](), frozenset[str]()
    if isinstance(start, OnEvent) and start.event in kinds:
        kind = kinds.get(start.event)
        facts, of_products = dict(kind.types), frozenset(kind.product_facts)
    types = {**ALWAYS, **world.attributes, **facts}
    return StepMessages(types, facts, of_products, world.known_to_messages(scenario, types))


def language_of(chosen: str | None) -> str:
    """Return the language of a reader: the one that they chose, or the first of ours."""
    return chosen or next(iter(languages()))


def own_values(line: LineState, names: Collection[str], member: Any | None, language: str) -> Any:
    """Return what is no attribute and no fact: of the shop, and of the member's own row."""
    found: dict[str, Any] = {}
    if OF_SHOP in names:
        with speaking(language):
            found[OF_SHOP] = str(line.shop.name)
    if member is not None and OF_MEMBER in names:
        found[OF_MEMBER] = line.shop.member_name(member)
    return found


def wordings_of(part: Any) -> Iterator[Wording]:
    """Return all wordings of drafts."""
    if isinstance(part, Wording):
        yield part
    elif isinstance(part, tuple | list):
        for one in part:
            yield from wordings_of(one)
    elif dataclasses.is_dataclass(part):
        for one in dataclasses.fields(part):
            yield from wordings_of(getattr(part, one.name))
