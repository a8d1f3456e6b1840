"""Message hooks, written in blueprints: a hook is to a webhook event what a view is to a request.

:class:`LineBlueprint` keeps the hooks until the app registers it; :class:`HookTable` is what one
app knows of them. The event's way to a hook: ``webhooks/views.py``, ``inbox.py``, ``dispatch.py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any
from typing import NamedTuple
from typing import TypeAlias
from typing import TypeVar

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.routing import Rule

from .errors import UsageError
from .messages.objects import Reply
from .webhooks.events import Event
from .webhooks.events import PostbackEvent
from .webhooks.events import TextEvent

#: A hook takes the event, then the variables of its postback route.
HookFunction: TypeAlias = Callable[..., Reply]
F = TypeVar("F", bound=HookFunction)

#: LINE's limit on the data of a postback, in characters.
MAX_POSTBACK_DATA = 300


def fold(text: str) -> str:
    """Return a text as hooks compare it: width, case and outer or double spaces don't count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook; exactly the fields of its kind are set.

    :ivar name: ``blueprint.function``.
    :ivar texts: folded spellings; with ``pattern`` unset and no texts, any text matches.
    """

    name: str
    event_name: str
    function: HookFunction
    texts: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    rule: str | None = None


class Found(NamedTuple):
    """The hook for an event, the event with its match, and the route's variables."""

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
            if twice := other.texts & hook.texts:
                raise UsageError(
                    f"{hook.name} and {other.name} both answer the text {min(twice)!r}"
                )
        if hook.rule is not None:
            self.routes.add(Rule(hook.rule, endpoint=hook.name))
        self.hooks.append(hook)

    def find(self, event: Event) -> Found | None:
        """Return the first hook, in the order written, that answers this event."""
        route, arguments = self._match_route(event)
        for hook in self.hooks:
            if hook.rule is not None:
                if hook.name == route:
                    return Found(hook, event, arguments)
            elif (matched := _matches(hook, event)) is not None:
                return Found(hook, matched, {})
        return None

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

    def _match_route(self, event: Event) -> tuple[str | None, Mapping[str, Any]]:
        if not isinstance(event, PostbackEvent):
            return None, {}
        path, _, query = event.data.partition("?")
        try:
            return self.routes.bind("", query_args=query).match(path)
        except HTTPException:
            return None, {}


def _matches(hook: Hook, event: Event) -> Event | None:
    if hook.event_name != event.name:
        return None
    if not isinstance(event, TextEvent):
        return event if hook.event_name != "message" else None
    text = fold(event.text)
    if hook.pattern is not None:
        match = hook.pattern.search(text)
        return replace(event, match=match) if match else None
    return event if not hook.texts or text in hook.texts else None


class LineBlueprint(Blueprint):
    """A Flask blueprint that also holds message hooks.

    Register it after ``line.init_app(app)``, like any other blueprint. A hook takes one event and
    returns the reply: nothing, a text, a message, or up to five.
    """

    def on_text(self, *texts: str | re.Pattern[str]) -> Callable[[F], F]:
        """Answer a text: any of several spellings, one compiled pattern, or, without any, all.

        Spellings and patterns are compared with the text after folding: full-width and half-width
        forms, case and spaces don't count.

        :raises UsageError: a pattern stands beside other texts.
        """
        patterns = [text for text in texts if isinstance(text, re.Pattern)]
        if patterns and len(texts) > 1:
            raise UsageError("on_text takes either spellings or one compiled pattern")
        spellings = frozenset(fold(text) for text in texts if isinstance(text, str))
        return self._hook("message", texts=spellings, pattern=patterns[0] if patterns else None)

    def on_postback(self, rule: str) -> Callable[[F], F]:
        """Answer a button whose data is a path, with the path's variables as arguments.

        :param rule: as in Flask's routes, ``"/orders/<int:order_id>/reorder"``; make the button's
            data with :func:`~flask_lineconnect.postback_for`.
        """
        return self._hook("postback", rule=rule)

    def on_follow(self, function: F) -> F:
        """Answer a person who added the official account, or unblocked it."""
        return self._hook("follow")(function)

    def on_unfollow(self, function: F) -> F:
        """Learn that a person blocked the official account; there is no way to answer."""
        return self._hook("unfollow")(function)

    def on_account_link(self, function: F) -> F:
        """Answer the end of linking inside the chat."""
        return self._hook("accountLink")(function)

    def on_event(self, name: str) -> Callable[[F], F]:
        """Answer any other webhook event by LINE's name of it, for example ``"beacon"``."""
        return self._hook(name)

    def _hook(
        self,
        event_name: str,
        *,
        texts: frozenset[str] = frozenset(),
        pattern: re.Pattern[str] | None = None,
        rule: str | None = None,
    ) -> Callable[[F], F]:
        def keep(function: F) -> F:
            short = function.__name__

            def register(setup: BlueprintSetupState) -> None:
                name = ".".join(filter(None, [setup.name_prefix, setup.name, short]))
                hook = Hook(name, event_name, function, texts, pattern, rule)
                _hooks_of(setup).add(hook)

            self.record(register)
            return function

        return keep


def _hooks_of(setup: BlueprintSetupState) -> HookTable:
    state = setup.app.extensions.get("lineconnect")
    if state is None:
        raise UsageError(
            f"call line.init_app(app) before app.register_blueprint({setup.blueprint.name})"
        )
    hooks: HookTable = state.hooks
    return hooks
