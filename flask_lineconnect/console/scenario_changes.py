"""What differs between two versions of a scenario, in the owner's words: what it is, and its steps.

A step is the same one as long as it keeps its name; it may have another place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..marketing.scenarios.definition import END
from ..marketing.scenarios.definition import Otherwise
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.definition import Step
from ..marketing.scenarios.reading import write_scenario
from ..state import LineState
from . import scenario_words as words
from .i18n import gettext as _

#: Texts of which less than this is the same are told as two, not as one with marks.
_ALIKE = 0.4
#: What is compared: words of letters and digits, and each other sign alone, as Japanese has it.
_TOKENS = re.compile(r"[A-Za-z0-9]+|.", re.DOTALL)
#: A part of a text, and whether the other text has it not.
Part = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    :ivar what: how it is called.
    :ivar before: its text in the older version, in parts; empty: there was none.
    :ivar is_code: whether only the shop's developer can read it.
    """

    what: str
    before: Sequence[Part]
    after: Sequence[Part]
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step that differs.

    :ivar kind: ``added``, ``removed``, ``moved`` or ``changed``; one that was moved may also have
        changes.
    :ivar title: of the newer version; of the older one where it was removed.
    """

    kind: str
    title: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two versions.

    :ivar about: of the scenario itself.
    :ivar same: how many steps are as they were.
    """

    about: Sequence[Change]
    steps: Sequence[StepChange]
    same: int

    @property
    def is_empty(self) -> bool:
        """Whether an owner would call them the same."""
        return not self.about and not self.steps


def compare(line: LineState, old: Scenario, new: Scenario) -> Comparison:
    """Return what differs between two versions, in the order of the newer one's steps."""
    teller = _Teller(line, old, new)
    moved = _moved(old, new)
    steps: list[StepChange] = []
    for place, step in enumerate(new.steps, start=1):
        before, title = old.step(step.name), step_title(step, place)
        if before is None:
            steps.append(StepChange("added", title, list(teller.step(None, step))))
            continue
        changes = list(teller.step(before, step))
        if step.name in moved:
            steps.append(StepChange("moved", title, changes))
        elif changes:
            steps.append(StepChange("changed", title, changes))
    for place, step in enumerate(old.steps, start=1):
        if new.step(step.name) is None:
            title = step_title(step, place)
            steps.append(StepChange("removed", title, list(teller.step(step, None))))
    touched = sum(one.kind != "removed" for one in steps)
    return Comparison(list(teller.about()), steps, len(new.steps) - touched)


def step_title(step: Step, place: int) -> str:
    """Return what a step is called, which has a place among the others, from 1."""
    if step.message and not step.branch:
        return _("メッセージ%(n)s", n=place)
    return f"{place}. {_('分かれ道') if step.branch else _('待つ')}"


def marked(before: str, after: str) -> tuple[list[Part], list[Part]]:
    """Return two texts in parts, and whether each is of this text alone."""
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if not before or not after or matcher.ratio() < _ALIKE:
        return [(before, False)] if before else [], [(after, False)] if after else []
    left: list[Part] = []
    right: list[Part] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        is_own = tag != "equal"
        left += [("".join(old[a:b]), is_own)] if a < b else []
        right += [("".join(new[c:d]), is_own)] if c < d else []
    return left, right


def _moved(old: Scenario, new: Scenario) -> set[str]:
    """Return the names of the fewest steps that stand elsewhere among those of both versions."""
    both = {one.name for one in old.steps} & {one.name for one in new.steps}
    before = [one.name for one in old.steps if one.name in both]
    after = [one.name for one in new.steps if one.name in both]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    stayed = {
        name for block in matcher.get_matching_blocks() for name in before[block.a :][: block.size]
    }
    return both - stayed


class _Teller:
    """Says of each thing what it was, and what it is."""

    def __init__(self, line: LineState, old: Scenario, new: Scenario):
        self._line = line
        self._old = old
        self._new = new

    def about(self) -> Iterator[Change]:
        """Return what differs of the scenario itself."""
        line, old, new = self._line, self._old, self._new
        yield from _change(_("はじまり"), words.begins(line, old), words.begins(line, new))
        pairs = [(_of_code(one, "where", "key", "again"), one) for one in (old, new)]
        yield from _change(_("はじまる条件"), pairs[0][0], pairs[1][0], is_code=True)
        yield from _change(
            _("種類"), words.category_label(line, old), words.category_label(line, new)
        )
        yield from _change(_("目的"), self._event(old.goal), self._event(new.goal))
        exits = ["・".join(self._event(one) for one in which.exits_on) for which in (old, new)]
        yield from _change(_("途中で終わるとき"), *exits)
        yield from _change(_("送らない時間帯"), _hours(old), _hours(new))
        ends = [
            "" if one.ends_after is None else words.duration(one.ends_after) for one in (old, new)
        ]
        yield from _change(_("続く長さ"), *ends)
        held = [
            _("100人のうち%(n)s人", n=one.hold_out) if one.hold_out else "" for one in (old, new)
        ]
        yield from _change(_("送らない人（比べるため）"), *held)
        yield from _change(
            _("リンクの計測"), _of_code(old, "track"), _of_code(new, "track"), is_code=True
        )

    def step(self, before: Step | None, after: Step | None) -> Iterator[Change]:
        """Return what differs of a step; all of it, where one of them is not there."""
        sides = ((self._old, before), (self._new, after))
        found: list[Change] = []
        old, new = ({} if step is None else self._told(which, step) for which, step in sides)
        for what in old | new:
            found += _change(what, old.get(what, ""), new.get(what, ""))
        is_told = bool(found)
        if before is not None and after is not None:
            found += self._of_both(before, after)
            # Only pictures, other languages or the code of a Flex message are not told above.
            if before.message != after.message and not is_told:
                found += _change(_("中身"), *map(_message, (before, after)), is_code=True)
        codes = [{} if step is None else _code_of(which, step) for which, step in sides]
        for what in codes[0] | codes[1]:
            found += _change(what, codes[0].get(what, ""), codes[1].get(what, ""), is_code=True)
        yield from found

    def _told(self, scenario: Scenario, step: Step) -> dict[str, str]:
        """Return what a step is, by what each thing is called, in an owner's words."""
        line = self._line
        found = {
            _("いつ"): words.wait(line, scenario, step.wait),
            _("文面"): "\n\n".join(words.texts_of(line, scenario, step.message)),
            _("ボタン"): "\n".join(words.buttons_of(line, scenario, step.message)),
        }
        if step.expires is not None:
            length = words.duration(step.expires)
            found[_("送る期限")] = _("%(length)sを過ぎたら送りません", length=length)
        if step.category is not None:
            found[_("種類")] = words.category_label(line, scenario, step)
        return {what: said for what, said in found.items() if said}

    def _of_both(self, before: Step, after: Step) -> Iterator[Change]:
        """Return what differs of what every step has, whether somebody wrote it or not."""
        if before.then != after.then:
            ways = self._following(self._old, before), self._following(self._new, after)
            yield from _change(_("次"), *ways)
        waits = {Otherwise.WAIT: _("待ってから送る"), Otherwise.DROP: _("送らない")}
        hours = waits[before.in_quiet_hours], waits[after.in_quiet_hours]
        yield from _change(_("送らない時間帯には"), *hours)
        caps = waits[before.over_cap], waits[after.over_cap]
        yield from _change(_("この期間の上限まで届いている方には"), *caps)

    def _following(self, scenario: Scenario, step: Step) -> str:
        name = scenario.after(step)
        return _("終わり") if name == END else self._title(scenario, name)

    def _title(self, scenario: Scenario, name: str) -> str:
        places = {one.name: (one, place) for place, one in enumerate(scenario.steps, start=1)}
        return step_title(*places[name]) if name in places else name

    def _event(self, name: str | None) -> str:
        return "" if name is None else words.event_label(self._line, name)


def _change(what: str, before: str, after: str, *, is_code: bool = False) -> Iterator[Change]:
    if before != after:
        yield Change(what, *marked(before, after), is_code)


def _hours(scenario: Scenario) -> str:
    hours = scenario.quiet_hours
    return "" if hours is None else f"{hours[0]:%H:%M}〜{hours[1]:%H:%M}"


def _of_code(scenario: Scenario, *names: str) -> str:
    written = write_scenario(scenario)
    return _as_code({name: written[name] for name in names if name in written})


def _code_of(scenario: Scenario, step: Step) -> dict[str, str]:
    """Return what of a step only its developer reads, by what it is called."""
    steps = write_scenario(scenario)["steps"]
    written = next(one for one in steps if one["name"] == step.name)
    called = {"only": _("送る条件"), "branch": _("分かれ方"), "track": _("リンクの計測")}
    return {
        what: _as_code({name: written[name]}) for name, what in called.items() if name in written
    }


def _message(step: Step) -> str:
    said = None if step.message is None else json.loads(step.message)
    return json.dumps(said, ensure_ascii=False, indent=2)


def _as_code(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, indent=2) if said else ""
