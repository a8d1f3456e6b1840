"""Message hooks, written in blueprints: a hook is to a webhook event what a view is to a request.

:class:`LineBlueprint` keeps the hooks until the app registers it. The event's way to a hook:
``webhooks/views.py``, ``inbox.py``, ``dispatch.py``; which hook it is: ``hooks.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from inspect import iscoroutinefunction
from inspect import unwrap
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import TypeVar

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState

from ..errors import UsageError
from ..folding import fold_pattern
from ..marketing.campaigns.declared import Campaigns
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.reading import campaigns_of_file
from ..marketing.campaigns.reading import read_campaign
from ..marketing.event_kinds import EventKind
from ..marketing.event_kinds import EventKinds
from ..marketing.event_kinds import Fact
from ..marketing.scenarios.declared import Scenarios
from ..marketing.scenarios.declared import scenarios_of_file
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.reading import read_scenario
from ..marketing.segments.attributes import Attribute
from ..marketing.segments.attributes import Attributes
from ..marketing.segments.attributes import Choices
from ..marketing.segments.attributes import Source
from ..marketing.segments.declared import DeclaredSegment
from ..marketing.segments.declared import DeclaredSegments
from ..marketing.segments.declared import MemberQuery
from ..marketing.segments.declared import segments_of_file
from ..webhooks import events
from .menus import DeclaredMenu
from .menus import DeclaredMenus
from .patterns import check_pattern
from .table import Hook
from .table import HookFunction
from .table import HookTable
from .table import TextMatch
from .table import fold as folded
from .table import keep as kept

F = TypeVar("F", bound=HookFunction)

Q = TypeVar("Q", bound=Callable[..., MemberQuery])

NO_FACTS: Mapping[str, Fact] = MappingProxyType({})


class LineBlueprint(Blueprint):
    """A Flask blueprint that also holds message hooks.

    Register it after ``line.init_app(app)``, like any other blueprint. A hook takes one event and
    returns the reply: nothing, a text, a message, or up to five. The first hook that matches
    answers, in the order written; a hook that returns ``PASS_ON`` leaves the event to the next.
    """

    def on_text(
        self, *texts: str | re.Pattern[str], prefix: bool = False, fold: bool = True
    ) -> Callable[[F], F]:
        """Answer a text: any of several spellings, one compiled pattern, or, without any, all.

        :param prefix: the texts are how it begins; what follows is ``event.rest``.
        :param fold: compare after folding: full-width and half-width forms, case, the kind of a
            hyphen or a wave (〜) and spaces don't count. Patterns are folded alike, and what they
            find is folded text.
        :raises UsageError: a pattern stands beside other texts, or can take for ever.
        """
        compared = folded if fold else kept
        patterns = [text for text in texts if isinstance(text, re.Pattern)]
        if patterns and (len(texts) > 1 or prefix):
            raise UsageError("on_text takes either spellings or one compiled pattern")
        for pattern in patterns:
            check_pattern(pattern)
        spellings = [compared(text) for text in texts if isinstance(text, str)]
        match = TextMatch(
            spellings=frozenset() if prefix else frozenset(spellings),
            prefixes=tuple(spellings) if prefix else (),
            pattern=_as_compared(patterns[0], fold=fold) if patterns else None,
            compared=compared,
        )
        return self._hook(event_type=events.TextEvent, text=match)

    def on_postback(self, rule: str) -> Callable[[F], F]:
        """Answer a button whose data is a path, with the path's variables as arguments.

        :param rule: as in Flask's routes, ``"/orders/<int:order_id>/reorder"``; make the button's
            data with :func:`~flask_lineconnect.postback_for`.
        """
        return self._hook(event_type=events.PostbackEvent, rule=rule)

    def on_dialogue(self, name: str, step: str | None = None) -> Callable[[F], F]:
        """Answer whatever the person writes or taps within a dialogue, before all other hooks.

        The hook's argument ``dialogue`` is the :class:`~flask_lineconnect.Dialogue` that
        :func:`~flask_lineconnect.begin_dialogue` began. Return ``PASS_ON`` for what is no answer.

        :param step: only at this step of it.
        """
        of_the_person = (events.MessageEvent, events.PostbackEvent)
        return self._hook(event_type=of_the_person, dialogue=(name, step))

    def on_image(self, function: F) -> F:
        """Answer a picture."""
        return self._hook(event_type=events.ImageEvent)(function)

    def on_video(self, function: F) -> F:
        """Answer a video."""
        return self._hook(event_type=events.VideoEvent)(function)

    def on_audio(self, function: F) -> F:
        """Answer a sound."""
        return self._hook(event_type=events.AudioEvent)(function)

    def on_file(self, function: F) -> F:
        """Answer a file."""
        return self._hook(event_type=events.FileEvent)(function)

    def on_location(self, function: F) -> F:
        """Answer a place."""
        return self._hook(event_type=events.LocationEvent)(function)

    def on_sticker(self, function: F) -> F:
        """Answer a sticker."""
        return self._hook(event_type=events.StickerEvent)(function)

    def on_follow(self, function: F) -> F:
        """Answer a person who added the official account, or unblocked it."""
        return self._hook(event_type=events.FollowEvent)(function)

    def on_unfollow(self, function: F) -> F:
        """Learn that a person blocked the official account; there is no way to answer."""
        return self._hook(event_type=events.UnfollowEvent)(function)

    def on_unsend(self, function: F) -> F:
        """Learn that a person took a message back; there is no way to answer."""
        return self._hook(event_type=events.UnsendEvent)(function)

    def on_join(self, function: F) -> F:
        """Answer an invitation to a group."""
        return self._hook(event_type=events.JoinEvent)(function)

    def on_leave(self, function: F) -> F:
        """Learn that the official account had to leave a group."""
        return self._hook(event_type=events.LeaveEvent)(function)

    def on_member_joined(self, function: F) -> F:
        """Answer people who joined a group."""
        return self._hook(event_type=events.MemberJoinedEvent)(function)

    def on_member_left(self, function: F) -> F:
        """Learn that people left a group."""
        return self._hook(event_type=events.MemberLeftEvent)(function)

    def on_beacon(self, function: F) -> F:
        """Answer a person who came near a beacon."""
        return self._hook(event_type=events.BeaconEvent)(function)

    def on_account_link(self, function: F) -> F:
        """Answer the end of linking inside the chat."""
        return self._hook(event_type=events.AccountLinkEvent)(function)

    def on_video_play_complete(self, function: F) -> F:
        """Answer a person who saw a video to its end."""
        return self._hook(event_type=events.VideoPlayCompleteEvent)(function)

    def on_membership(self, function: F) -> F:
        """Answer a person who joined, renewed or left a paid membership."""
        return self._hook(event_type=events.MembershipEvent)(function)

    def on_event(self, name: str) -> Callable[[F], F]:
        """Answer any webhook event by LINE's name of it, also one that LINE added lately."""
        return self._hook(event_name=name)

    def on_any(self, function: F) -> F:
        """Answer every event, whatever it is; mostly to return ``PASS_ON``."""
        return self._hook()(function)

    def on_fallback(self, function: F) -> F:
        """Answer what no other hook of the app answers."""
        return self._hook(is_last=True)(function)

    def member_event(self, name: str, *, label: Any, facts: Mapping[str, Fact] = NO_FACTS) -> None:
        """Declare what ``line.emit(name, member, …)`` may tell, and which facts go with it.

        :param name: what it is about and what happened: ``order.placed``.
        :param label: for the owner.
        :param facts: by name; each must be told, unless its type says ``| None``.
        :raises UsageError: the name, a fact's name or its type can't be; or, when the app registers
            the blueprint, the event is declared twice.
        """
        kind = EventKind(name, label, dict(facts), home=self.name)
        self.record(lambda setup: _state_of(setup).part(EventKinds).add(kind))

    def attribute(
        self,
        name: str,
        source: Source | Callable[[datetime], Source],
        *,
        label: Any,
        type: Any = None,
        choices: Choices | None = None,
        absent: Any = None,
    ) -> None:
        """Declare what is known of each member, so that segments can ask for it.

        :param source: an expression about the member's own row; a column of
            :func:`~flask_lineconnect.per_member`; for lists, a select of member key, value, and
            perhaps its time; or a function of the time now that makes one of these.
        :param label: for the owner.
        :param type: where SQLAlchemy does not know it.
        :param choices: the values that there are: a mapping to their labels, a list, or a function
            that returns the mapping when it is shown.
        :param absent: what counts for members of whom there is nothing, such as 0 orders.
        :raises UsageError: it can't be called so, or its type is not known; or, when the app
            registers the blueprint, it is declared twice.
        """
        found = Attribute.declared(
            name, source, label, type_=type, choices=choices, absent=absent, home=self.name
        )
        self.record(lambda setup: _state_of(setup).part(Attributes).add(found))

    def segment(self, name: str, *, label: Any) -> Callable[[Q], Q]:
        """Name a query for member keys: a function of the time now, and of arguments.

        Each argument has a type and a default, which the owner may change.

        :raises UsageError: its name or an argument can't be; or, when the app registers the
            blueprint, it is declared twice.
        """

        def keep(query: Q) -> Q:
            self._add_segment(DeclaredSegment.of_query(name, label, query, home=self.name))
            return query

        return keep

    def segments_from(self, path: str) -> None:
        """Declare the rules of a TOML file, a table for each segment: its ``label``, and a rule.

        :param path: relative to the folder of the blueprint's module.
        :raises UsageError: the file is none, or a rule can't be read; says which and where.
        """
        for segment in segments_of_file(Path(self.root_path, path), home=self.name):
            self._add_segment(segment)

    def _add_segment(self, segment: DeclaredSegment) -> None:
        self.record(lambda setup: _state_of(setup).part(DeclaredSegments).add(segment))

    def scenario(self, name: str, **definition: Any) -> None:
        """Declare which messages follow from what, in the words that a TOML file has.

        :param name: small letters, digits and underscores.
        :param definition: ``label``, ``starts_on``, ``steps`` and others; how-to/scenarios.md has
            them all.
        :raises UsageError: it can't be read; names the place. Or, when the app registers the
            blueprint, it is declared twice.
        """
        self._add_scenario(read_scenario(name, definition, home=self.name))

    def scenarios_from(self, path: str) -> None:
        """Declare the scenarios of a TOML file, a table for each.

        :param path: relative to the folder of the blueprint's module.
        :raises UsageError: there is no such file, or a scenario can't be read; names the place.
        """
        for scenario in scenarios_of_file(Path(self.root_path, path), home=self.name):
            self._add_scenario(scenario)

    def _add_scenario(self, scenario: Scenario) -> None:
        self.record(lambda setup: _state_of(setup).part(Scenarios).add(scenario))

    def campaign(self, name: str, **definition: Any) -> None:
        """Declare a campaign, in the words that a TOML file has; nothing is sent by that.

        :param definition: ``label``, ``to``, ``message`` and others; how-to/campaigns.md has all.
        :raises UsageError: it can't be read; names the place. Or, when the app registers the
            blueprint, it is declared twice.
        """
        self._add_campaign(read_campaign(name, definition, home=self.name))

    def campaigns_from(self, path: str) -> None:
        """Declare the campaigns of a TOML file, a table for each.

        :param path: relative to the folder of the blueprint's module.
        :raises UsageError: there is no such file, or a campaign can't be read; names the place.
        """
        for campaign in campaigns_of_file(Path(self.root_path, path), home=self.name):
            self._add_campaign(campaign)

    def _add_campaign(self, campaign: Definition) -> None:
        self.record(lambda setup: _state_of(setup).part(Campaigns).add(campaign))

    def rich_menu(self, name: str, **definition: Any) -> None:
        """Declare a rich menu, in the words that a TOML file has; `flask line richmenu` reads it.

        :param name: small letters, digits, ``-`` and ``_``.
        :param definition: ``chat_bar_text``, ``areas`` and others; how-to/rich-menu.md has them
            all. Files are relative to the folder of the blueprint's module.
        :raises UsageError: when the app registers the blueprint: it is declared twice.
        """
        found = DeclaredMenu(name, definition, Path(self.root_path), self.name)
        self.record(lambda setup: _state_of(setup).part(DeclaredMenus).add(found))

    def _hook(self, **kind: Any) -> Callable[[F], F]:
        def keep(function: F) -> F:
            short = function.__name__
            if iscoroutinefunction(unwrap(function)):
                _check_async(short)

            def register(setup: BlueprintSetupState) -> None:
                name = ".".join(filter(None, [setup.name_prefix, setup.name, short]))
                _state_of(setup).part(HookTable).add(Hook(name, function, **kind))

            self.record(register)
            return function

        return keep


def _as_compared(pattern: re.Pattern[str], *, fold: bool) -> re.Pattern[str]:
    return fold_pattern(pattern) if fold else pattern


def _check_async(name: str) -> None:
    """Refuse an ``async def`` hook where Flask could run no async view either."""
    if find_spec("asgiref") is None:
        raise UsageError(
            f"the hook {name} is `async def`, which needs Flask's extra package; install it with "
            "`pip install 'flask[async]'`"
        )


def _state_of(setup: BlueprintSetupState) -> Any:
    """Return the app's :class:`~..state.LineState`, which stands above this room."""
    state = setup.app.extensions.get("lineconnect")
    if state is None:
        raise UsageError(
            f"call line.init_app(app) before app.register_blueprint({setup.blueprint.name})"
        )
    return state
