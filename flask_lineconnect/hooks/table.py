"""What one app knows of its message hooks, and which of them answers an event.

They are written in a ``LineBlueprint``, see ``blueprint.py``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any
from typing import NamedTuple
from typing import TypeAlias

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.routing import Rule

from ..errors import UsageError
from ..folding import fold_for_search
from ..messages.objects import Reply
from ..webhooks.events import Event
from ..webhooks.events import PostbackEvent
from ..webhooks.events import TextEvent

#: A hook takes the event, then the variables of its postback route; it may be ``async def``.
HookFunction: TypeAlias = Callable[..., Reply | Awaitable[Reply]]

#: LINE's limit on the data of a postback, in characters.
MAX_POSTBACK_DATA = 300
#: Longer texts are cut before they are compared, in characters after folding.
MAX_COMPARED = 1_000


def fold(text: str) -> str:
    """Return a text as hooks compare it: width, case, kind of hyphen and spaces don't count."""
    return fold_for_search(text)[:MAX_COMPARED]


def keep(text: str) -> str:
    """Return a text as hooks compare it that were written with ``fold=False``."""
    return text.strip()[:MAX_COMPARED]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Which texts a hook answers; without spellings, prefix and pattern, all of them."""

    spellings: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    compared: Callable[[str], str] = fold

    def find(self, event: TextEvent) -> TextEvent | None:
        """Return the event with its match, or ``None``."""
        text = self.compared(event.text)
        if self.pattern is not None:
            match = self.pattern.search(text)
            return replace(event, match=match) if match else None
        if self.prefixes:
            found = next((one for one in self.prefixes if text.startswith(one)), None)
            return None if found is None else replace(event, rest=text[len(found) :].strip())
        return event if not self.spellings or text in self.spellings else None


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook; the fields of its kind are set.

    :ivar name: ``blueprint.function``.
    :ivar event_type: the types of event it answers, subtypes included.
    :ivar event_name: LINE's name of it, for hooks written with ``on_event``.
    :ivar rule: of postbacks that are routes.
    :ivar dialogue: of hooks that answer within a dialogue: its name, and perhaps its step.
    :ivar is_last: asked when no other hook answers.
    """

    name: str
    function: HookFunction
    event_type: type[Event] | tuple[type[Event], ...] = Event
    event_name: str | None = None
    text: TextMatch | None = None
    rule: str | None = None
    dialogue: tuple[str, str | None] | None = None
    is_last: bool = False

    def find(self, event: Event) -> Event | None:
        """Return the event as the hook gets it, or ``None`` if it is not for this hook."""
        if not isinstance(event, self.event_type):
            return None
        if self.event_name is not None and event.name != self.event_name:
            return None
        if self.text is not None and isinstance(event, TextEvent):
            return self.text.find(event)
        return event


class Found(NamedTuple):
    """A hook for an event, the event with its match, and the route's variables."""

    hook: Hook
    event: Event
    arguments: Mapping[str, Any]


@dataclass
class HookTable:
    """The hooks of one app, in the order in which they were written."""

    hooks: list[Hook] = field(default_factory=list)
    routes: Map = field(default_factory=Map)

    def add(self, hook: Hook) -> None:
        """Add a hook.

        :raises UsageError: another hook answers the same exact text already.
        """
        for other in self.hooks:
            if twice := _spellings(other) & _spellings(hook):
                raise UsageError(
                    f"{hook.name} and {other.name} both answer the text {min(twice)!r}"
                )
        if hook.rule is not None:
            self.routes.add(Rule(hook.rule, endpoint=hook.name))
        self.hooks.append(hook)

    def find_all(self, event: Event, *, dialogue: tuple[str, str] | None = None) -> Iterator[Found]:
        """Yield the hooks that may answer an event, the first to be asked first.

        :param dialogue: name and step of the dialogue that the person is in: its hooks go first.
        """
        route, arguments = self._match_route(event)
        for hook in self._in_order(dialogue):
            if hook.rule is not None:
                if hook.name == route:
                    yield Found(hook, event, arguments)
            elif (matched := hook.find(event)) is not None:
                yield Found(hook, matched, {})

    @property
    def has_dialogues(self) -> bool:
        """Tell whether any hook answers within a dialogue."""
        return any(hook.dialogue is not None for hook in self.hooks)

    def postback_data(self, name: str, **values: Any) -> str:
        """Return the data of a button that calls the postback hook ``name``.

        :raises UsageError: there is no such hook, a variable is missing, or the data is too long.
        """
        try:
            data = self.routes.bind("").build(name, values)
        except Exception as error:
            raise UsageError(f"no postback hook {name!r} takes {sorted(values)}") from error
        if len(data) > MAX_POSTBACK_DATA:
            raise UsageError(f"the postback data of {name} is longer than LINE's limit of 300")
        return data

    def _in_order(self, dialogue: tuple[str, str] | None) -> Iterator[Hook]:
        if dialogue is not None:
            name, step = dialogue
            wanted = {(name, step), (name, None)}
            yield from (hook for hook in self.hooks if hook.dialogue in wanted)
        ordinary = [hook for hook in self.hooks if hook.dialogue is None]
        yield from (hook for hook in ordinary if not hook.is_last)
        yield from (hook for hook in ordinary if hook.is_last)

    def _match_route(self, event: Event) -> tuple[str | None, Mapping[str, Any]]:
        if not isinstance(event, PostbackEvent):
            return None, {}
        path, _, query = event.data.partition("?")
        try:
            return self.routes.bind("", query_args=query).match(path)
        except HTTPException:
            return None, {}


def _spellings(hook: Hook) -> frozenset[str]:
    return hook.text.spellings if hook.text and hook.dialogue is None else frozenset()
