"""What can be told of members: the kinds of member events, each with its facts.

A shop declares its own in a blueprint (``hooks/blueprint.py``); LINE's are below. A condition or a
template that names a fact which no event has is found before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import Literal

from ..errors import UsageError
from ..i18n import lazy_gettext as _
from .registry import Registry
from .registry import did_you_mean
from .values import ValueType

#: The parts of a name: what it is about, and a past participle. ``line.`` is LINE's.
EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
FACT_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: The longest name of an event, in characters.
MAX_NAME = 100
#: What a fact may hold the keys of.
PRODUCTS = "products"
#: What ``line.emit`` itself takes.
TAKEN = ("at", "subject")
LINES_OWN = "line."


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a member event.

    :ivar type: ``str``, ``int``, ``Decimal``, ``bool``, ``date``, ``datetime``, a list of one of
        them such as ``list[str]``, or one of these ``| None``, which may be left out.
    :ivar label: for the owner; a text, or one that is translated when it is shown.
    :ivar holds: ``"products"`` if it holds keys of products: messages then show their names and
        their cards, as the shop's ``ProductDesk`` has them by then.
    """

    type: Any
    label: Any
    holds: Literal["products"] | None = None

    @property
    def value_type(self) -> ValueType:
        """What its values are."""
        return ValueType.of(self.type)


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of member event.

    :ivar name: ``order.placed``.
    :ivar home: who declared it: the name of a blueprint, or ``line``.
    """

    name: str
    label: Any
    facts: Mapping[str, Fact] = field(default_factory=dict)
    home: str = "line"
    #: The types of its facts.
    types: Mapping[str, ValueType] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no event can be called, and facts that no event can have.

        :raises UsageError: names the event, and the fact.
        """
        if not EVENT_NAME.fullmatch(self.name) or len(self.name) > MAX_NAME:
            raise UsageError(
                f"{self.name!r} can't be the name of a member event; it must be like order.placed: "
                f"small letters, digits and underscores, with a dot, at most {MAX_NAME} characters"
            )
        found = {}
        for name, fact in self.facts.items():
            if not FACT_NAME.fullmatch(name) or name in TAKEN:
                raise UsageError(f"the member event {self.name} can't have a fact called {name!r}")
            try:
                found[name] = fact.value_type
            except UsageError as error:
                raise UsageError(f"the fact {name} of {self.name}: {error}") from None
            if fact.holds not in (None, PRODUCTS) or (fact.holds and found[name].python is not str):
                raise UsageError(
                    f"the fact {name} of {self.name} can't hold {fact.holds!r}: only texts, or a "
                    f"list of them, hold {PRODUCTS!r}"
                )
        object.__setattr__(self, "types", found)

    @property
    def product_facts(self) -> tuple[str, ...]:
        """The names of its facts that hold keys of products."""
        return tuple(name for name, fact in self.facts.items() if fact.holds == PRODUCTS)

    def freeze(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the written form of an event's facts.

        :raises UsageError: a fact is unknown, missing, or of another type; names the place.
        """
        for name in facts:
            if name not in self.types:
                raise UsageError(self._unknown(name))
        frozen = {}
        for name, kind in self.types.items():
            if name not in facts and not kind.is_optional:
                raise UsageError(f"{self.name} was told without its fact {name} ({kind.name})")
            try:
                written = kind.to_json(facts.get(name))
            except ValueError as error:
                raise UsageError(f"the fact {name} of {self.name} {error}") from None
            if written is not None:
                frozen[name] = written
        return frozen

    def read(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts of a stored event as values; absent ones are ``None``.

        What an earlier version of the shop told, in another form, is absent, too.
        """
        facts: dict[str, Any] = {}
        for name, kind in self.types.items():
            try:
                facts[name] = None if name not in written else kind.from_json(written[name])
            except ValueError:
                facts[name] = None
        return facts

    def type_of(self, fact: str) -> ValueType:
        """Return the type of a fact.

        :raises UsageError: there is none of this name.
        """
        if fact not in self.types:
            raise UsageError(self._unknown(fact))
        return self.types[fact]

    def _unknown(self, fact: str) -> str:
        known = f"it has {', '.join(self.types)}" if self.types else "it has none"
        return f"{self.name} has no fact {fact!r}{did_you_mean(fact, self.types)}; {known}"


#: What we tell ourselves, where it happens.
LINKED = EventKind(
    "line.linked", _("LINEと連携した"), {"source": Fact(str | None, _("連携のきっかけ"))}
)
UNLINKED = EventKind(
    "line.unlinked", _("LINEとの連携を解除した"), {"actor": Fact(str, _("解除した人"))}
)
FOLLOWED = EventKind(
    "line.followed",
    _("友だちになった"),
    {"is_unblocked": Fact(bool, _("ブロックからの復帰"))},
)
UNFOLLOWED = EventKind("line.unfollowed", _("ブロックした"))
DECLINED = EventKind(
    "line.declined",
    _("お知らせの種類を断った"),
    {"category": Fact(str, _("お知らせの種類"))},
)
CLICKED = EventKind(
    "message.clicked",
    _("メッセージのリンクを開いた"),
    {
        "link": Fact(str, _("リンク")),
        "campaign": Fact(str | None, _("キャンペーン")),
        "scenario": Fact(str | None, _("シナリオ")),
        "step": Fact(str | None, _("ステップ")),
        "variant": Fact(str | None, _("案")),
    },
)
#: Without a shop's doing.
OURS = (LINKED, UNLINKED, FOLLOWED, UNFOLLOWED, DECLINED, CLICKED)


class EventKinds(Registry[EventKind]):
    """The kinds of member events of one app: LINE's, and those that the shop declares."""

    called = "member event"

    def __init__(self, kinds: Iterable[EventKind] = OURS):
        super().__init__(kinds)

    def add(self, item: EventKind) -> None:
        """Add a kind.

        :raises UsageError: there is one of this name, or the name is one for LINE's.
        """
        if item.name.startswith(LINES_OWN):
            raise UsageError(f"{item.name}: member events that begin with `line.` are LINE's own")
        super().add(item)

    def get(self, name: str) -> EventKind:
        """Return the kind of this name.

        :raises UsageError: nobody declared it; names the nearest.
        """
        found = self.find(name)
        if found is None:
            mean = did_you_mean(name, self._by_name)
            raise UsageError(
                f"no member event {name!r} is declared{mean}; declare it with member_event() of a "
                "LineBlueprint"
            )
        return found
