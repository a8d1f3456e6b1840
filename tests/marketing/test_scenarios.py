"""Scenarios are data: read and written alike, and refused with their place if they can't run."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flask_lineconnect.errors import UsageError
from flask_lineconnect.i18n import lazy_gettext
from flask_lineconnect.marketing.calendar.times import After
from flask_lineconnect.marketing.calendar.times import Duration
from flask_lineconnect.marketing.event_kinds import EventKind
from flask_lineconnect.marketing.event_kinds import EventKinds
from flask_lineconnect.marketing.event_kinds import Fact
from flask_lineconnect.marketing.scenarios.checking import World
from flask_lineconnect.marketing.scenarios.checking import check_scenario
from flask_lineconnect.marketing.scenarios.conditions import Asking
from flask_lineconnect.marketing.scenarios.conditions import holds
from flask_lineconnect.marketing.scenarios.conditions import read_condition
from flask_lineconnect.marketing.scenarios.conditions import write_condition
from flask_lineconnect.marketing.scenarios.declared import scenarios_of_file
from flask_lineconnect.marketing.scenarios.definition import END
from flask_lineconnect.marketing.scenarios.definition import Again
from flask_lineconnect.marketing.scenarios.definition import InvalidScenario
from flask_lineconnect.marketing.scenarios.definition import OnEvent
from flask_lineconnect.marketing.scenarios.definition import Otherwise
from flask_lineconnect.marketing.scenarios.definition import ReEntry
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.marketing.scenarios.reading import read_scenarios
from flask_lineconnect.marketing.scenarios.reading import write_scenario
from flask_lineconnect.marketing.segments.operators import Clock
from flask_lineconnect.marketing.values import ValueType

CART = """
[cart]
label = "お買い忘れのお知らせ"
starts_on = "cart.changed"
where = {fact = "count", at_least = 1}
key = "version"
again = "per key"
goal = "order.placed"
exits_on = ["cart.emptied"]
category = "cart"
quiet_hours = "22:00-09:00"
ends_after = "P3D"

[[cart.steps]]
name = "remind"
wait = "PT1H"
expires = "PT6H"
over_cap = "wait"
[cart.steps.message]
text = "{% if name %}{{ name }}様、{% endif %}カートに{{ count }}点あります。"
quick_replies = [{label = "カート", url = "/cart"}]

[[cart.steps]]
name = "look"
wait = "P1D at 12:00"
branch = [
    {when = {event = "message.clicked"}, go = "end"},
    {when = {fact = "count", above = 3}, go = "many"},
]
then = "one"

[[cart.steps]]
name = "one"
only = {not = {segment = "lapsed"}}
message = "まだ間に合います。"
in_quiet_hours = "drop"
then = "end"

[[cart.steps]]
name = "many"
message = ["たくさんあります。", {products = "favourites", alt_text = "商品", button = "見る"}]
"""

OTHERS = """
[birthday]
label = "お誕生日"
starts_at = "every year P15D before born_on at 10:00"
again = "per key"
category = "birthday"
steps = [{name = "gift", message = "{{ name|default('お客さま') }}、{{ born_on|day }}ですね。"}]

[weekly]
label = "毎週のおすすめ"
starts_at = "every monday at 10:00"
segment = "lapsed"
again = "when ended"
category = "news"
steps = [{name = "news", message = "今週のおすすめです。"}]

[lapsed]
label = "ご無沙汰しております"
starts_in = "lapsed"
again = "after P180D"
category = "news"
steps = [{name = "hello", wait = "monday at 10:00", message = "ご無沙汰しております。"}]

[booking]
label = "ご予約の前日"
starts_on = "booking.made"
key = "subject"
again = "restart"
category = "order"
[[booking.steps]]
name = "day_before"
wait = "day before start at 18:00"
message = "明日{{ start|clock }}です。"
"""


def _kinds() -> EventKinds:
    kinds = EventKinds()
    whole = {"count": Fact(int, ""), "version": Fact(str, ""), "note": Fact(str | None, "")}
    kinds.add(EventKind("cart.changed", "", whole, home="shop"))
    kinds.add(EventKind("booking.made", "", {"start": Fact(datetime, "")}, home="shop"))
    for name in ("order.placed", "cart.emptied"):
        kinds.add(EventKind(name, "", {}, home="shop"))
    return kinds


WORLD = World(
    _kinds(),
    categories=["cart", "order", "news", "birthday"],
    segments=["lapsed"],
    attributes={"born_on": ValueType(date, is_optional=True), "rank": ValueType(str)},
    languages=("ja", "en"),
)


def cart(*steps: Any, **changes: Any) -> dict[str, Any]:
    """Return the data of the cart's scenario, with changes; ``None`` takes a word away."""
    data = tomllib.loads(CART)["cart"] | changes | ({"steps": list(steps)} if steps else {})
    return {word: value for word, value in data.items() if value is not None}


def problems(data: dict[str, Any]) -> list[str]:
    checked = check_scenario(read_scenario("cart", data), WORLD)
    return [str(problem) for problem in checked.problems]


def test_a_scenario_is_read_from_toml() -> None:
    [found] = read_scenarios(tomllib.loads(CART), home="shop")
    assert found.start == OnEvent("cart.changed", read_condition({"fact": "count", "at_least": 1}))
    assert found.again == ReEntry(Again.PER_KEY)
    assert found.quiet_hours == (time(22), time(9))
    assert found.ends_after == Duration(days=3)
    remind, look, one, many = found.steps
    assert remind.wait == After(Duration(seconds=3600))
    assert remind.expires == Duration(seconds=6 * 3600)
    assert (remind.over_cap, one.in_quiet_hours) == (Otherwise.WAIT, Otherwise.DROP)
    assert list(found.leads_to(remind)) == ["look"]
    assert list(found.leads_to(look)) == [END, "many", "one"]
    assert found.after(many) == END
    assert hash(found)


@pytest.mark.parametrize(
    ("ends_after", "waits", "is_done"),
    [
        ("P1D", ["PT23H", "PT59M"], True),
        ("P1D", ["PT23H", "PT2H"], False),
        ("P1D", ["P1D at 10:00"], True),
        ("P1D", ["P3D at 10:00"], False),
        ("P3D", ["every monday at 10:00"], True),
        ("P3D", ["P1D", "P1D"], True),
        ("P3D", ["P2D", "P2D"], False),
        # A month may be shorter than thirty days, and another one longer.
        ("P30D", ["P1M"], True),
        ("P28D", ["P30D"], False),
        ("P1M", ["P30D"], True),
        ("P1M", ["P32D"], False),
    ],
)
def test_a_step_that_is_never_done_is_found(
    ends_after: str, waits: list[str], is_done: bool
) -> None:
    steps = [
        {"name": f"step{number}", "wait": wait, "message": "a"} for number, wait in enumerate(waits)
    ]
    found = problems(cart(*steps, ends_after=ends_after))
    last = f"cart.steps.step{len(waits) - 1}: is never done: a run ends after {ends_after}"
    assert (found == []) if is_done else found[0].startswith(last)


def test_the_shortest_way_to_a_step_counts() -> None:
    short = {"name": "one", "branch": [{"when": {"segment": "lapsed"}, "go": "three"}]}
    long = {"name": "two", "wait": "P9D"}
    last = {"name": "three", "wait": "PT1H", "message": "a"}
    [problem] = problems(cart(short, long, last, ends_after="P2D"))
    assert problem.startswith("cart.steps.two: is never done")


@pytest.mark.parametrize(
    ("category", "own", "problem"),
    [
        ("news", "08:00-21:00", "cart.quiet_hours: leave no time at which a message may be sent"),
        ("news", "09:00-20:00", None),
        # The shop's quiet hours are for advertising.
        ("order", "08:00-21:00", None),
        ("order", "00:00-23:59", None),
    ],
)
def test_quiet_hours_leave_some_time_of_the_day(
    category: str, own: str, problem: str | None
) -> None:
    world = replace(WORLD, advertising=["news"], quiet_hours=(time(20, 30), time(9)))
    data = cart(MESSAGE, category=category, quiet_hours=own)
    found = [str(one) for one in check_scenario(read_scenario("cart", data), world).problems]
    assert [one.partition(";")[0] for one in found] == ([] if problem is None else [problem])


def test_a_segment_that_asks_for_what_is_gone_is_refused_where_it_is_named() -> None:
    def problem(name: str) -> str | None:
        return "項目「rank」は、いまのお店にはありません。" if name == "lapsed" else None

    data = cart(MESSAGE | {"only": {"segment": "lapsed"}}, starts_on=None, where=None, key=None) | {
        "starts_in": "lapsed",
        "again": "never",
        "exits_on": [],
    }
    world = replace(WORLD, segment_problem=problem)
    found = [str(one) for one in check_scenario(read_scenario("cart", data), world).problems]
    said = "the segment 'lapsed' chooses nobody: 項目「rank」は、いまのお店にはありません。"
    assert found == [f"cart.starts_in: {said}", f"cart.steps.one.only: {said}"]


def test_nothing_begins_with_the_end_of_a_link() -> None:
    data = cart(MESSAGE, starts_on="line.unlinked", where=None, key="member", again="never")
    assert problems(data) == ["cart.starts_on: never begins: only members who are linked have runs"]


def test_a_start_by_an_attribute_that_there_is_not() -> None:
    data = cart(MESSAGE, starts_on=None, where=None, key=None, again="never", exits_on=[])
    found = problems(data | {"starts_at": "every year on bron_on at 10:00"})
    assert found[0].startswith(
        "cart.starts_at: there is no attribute 'bron_on'. Did you mean born_on; there are "
    )


def test_whole_scenarios_have_nothing_wrong_and_know_their_messages() -> None:
    for scenario in read_scenarios(tomllib.loads(CART + OTHERS)):
        checked = check_scenario(scenario, WORLD)
        assert [str(problem) for problem in checked.problems] == []
        assert set(checked.drafts) == {one.name for one in scenario.steps if one.message}
    assert len(check_scenario(read_scenario("cart", cart()), WORLD).drafts["many"]) == 2


@pytest.mark.parametrize("name", ["cart", "birthday", "weekly", "lapsed", "booking"])
def test_what_is_written_reads_as_it_was(name: str) -> None:
    scenario = read_scenario(name, tomllib.loads(CART + OTHERS)[name])
    written = json.loads(json.dumps(write_scenario(scenario)))
    assert read_scenario(name, written) == scenario


def test_a_time_has_a_key_for_each_of_its_days() -> None:
    for name, key in (("birthday", "day"), ("weekly", "day"), ("lapsed", "member")):
        assert read_scenario(name, tomllib.loads(OTHERS)[name]).key == key


def test_a_label_may_be_translated_when_it_is_shown() -> None:
    label = lazy_gettext("カート")
    scenario = read_scenario("cart", cart(label=label))
    assert scenario.label is label
    assert write_scenario(scenario)["label"] == "カート"
    with pytest.raises(InvalidScenario, match=r"cart\.label"):
        read_scenario("cart", cart(label=5))


def test_python_says_lengths_as_timedelta() -> None:
    step = {"name": "remind", "wait": timedelta(hours=1), "expires": timedelta(hours=6)}
    [found] = read_scenario("cart", cart(step | {"message": "a"})).steps
    assert (found.wait, found.expires) == (After(Duration(0, 0, 3600)), Duration(0, 0, 21600))


MESSAGE = {"name": "one", "message": "a"}


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        (5, "cart", "a table is needed"),
        (cart(lable="x"), "cart.lable", "Did you mean label"),
        (cart(label=None), "cart.label", "must be said"),
        (cart(category=""), "cart.category", "must be said"),
        (cart(key=None), "cart.key", "must be said"),
        (cart(again=None), "cart.again", "says whether it begins again: never, per key"),
        (cart(again="sometimes"), "cart.again", "after P90D"),
        (cart(again="after monday at 10:00"), "cart.again", "a length of time"),
        (cart(again="after soon"), "cart.again", "column 1"),
        (cart(starts_on=None), "cart", "exactly one of starts_on, starts_at, starts_in"),
        (cart(starts_in="lapsed"), "cart", "exactly one of"),
        (cart(segment="lapsed"), "cart.segment", "is for starts_at alone"),
        (cart(starts_on=None, starts_in="lapsed"), "cart.where", "only an event has facts"),
        (
            cart(starts_on=None, where=None, starts_at="every monday at 10:00"),
            "cart.segment",
            "whom a recurring time is for",
        ),
        (cart(starts_on=None, where=None, starts_at="PT1H"), "cart.starts_at", "comes by itself"),
        (
            cart(starts_on=None, where=None, starts_at="P1D before born_on"),
            "cart.starts_at",
            "a time of day",
        ),
        (cart(where={"count": 1}), "cart.where", "one of fact, event"),
        (cart(where={"all": [{"fact": "count"}]}), "cart.where.all[0]", "exactly one question"),
        (cart(quiet_hours="22-9"), "cart.quiet_hours", "21:00-08:00"),
        (cart(ends_after="10:00"), "cart.ends_after", "a length of time"),
        (cart(exits_on="order.placed"), "cart.exits_on", "a list of texts"),
        (cart(steps=[]), "cart.steps", "1 to 100 steps"),
        (cart(*[MESSAGE] * 101), "cart.steps", "1 to 100 steps"),
        (cart({"message": "a"}), "cart.steps[0].name", "must be said"),
        (cart({"name": "end", "message": "a"}), "cart.steps[0].name", "can't be the name"),
        (cart({"name": "One"}), "cart.steps[0].name", "can't be the name"),
        (cart(MESSAGE | {"wiat": "PT1H"}), "cart.steps[0].wiat", "Did you mean wait"),
        (cart(MESSAGE | {"wait": "every monady 10:00"}), "cart.steps.one.wait", "column 7"),
        (cart(MESSAGE | {"wait": 5}), "cart.steps.one.wait", "a time is needed"),
        (cart(MESSAGE | {"wait": timedelta(0)}), "cart.steps.one.wait", "more than none"),
        (cart(MESSAGE | {"over_cap": "send"}), "cart.steps.one.over_cap", "wait, drop"),
        (cart(MESSAGE | {"only": {"not": {}}}), "cart.steps.one.only.not", "a table"),
        (cart(MESSAGE | {"branch": [{"go": "end"}]}), "cart.steps.one.branch[0].when", "be said"),
        (cart({"name": "one", "message": {1, 2}}), "cart.steps.one.message", "no data"),
    ],
)
def test_what_is_no_scenario_is_refused_with_its_place(data: Any, place: str, said: str) -> None:
    with pytest.raises(InvalidScenario) as caught:
        read_scenario("cart", data)
    assert caught.value.place == place
    assert said in str(caught.value)


NEVER = {"event": "order.plcaed"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            cart(starts_on="cart.chnged", where=None, key="subject"),
            "cart.starts_on: no member",
        ),
        (cart(goal="order.plcaed"), "cart.goal: no member event 'order.plcaed' is declared. Did"),
        (cart(exits_on=["a.b"]), "cart.exits_on[0]: no member event"),
        (cart(goal="cart.changed"), "cart.goal: cart.changed begins it, and would end it at once"),
        (cart(category="crat"), "cart.category: there is no category 'crat'. Did you mean cart"),
        (cart(key="versoin"), "cart.key: there is no 'versoin'. Did you mean version"),
        (cart(key="day"), "cart.key: there is no 'day'"),
        (cart(key="member"), "cart.again: each member is one key"),
        (cart(key="note"), "cart.key: note is str | None"),
        (cart(where={"fact": "conut", "is": 1}), "cart.where: there is no fact 'conut'. Did you"),
        (
            cart(where={"fact": "count", "contains": "a"}),
            "'contains' can't be asked of count",
        ),
        (cart(where={"fact": "count", "above": "a"}), "cart.where: count above"),
        (cart(where={"fact": "count", "is_set": 1}), "cart.where: is_set is true or false"),
        (cart(where={"segment": "lapst"}), "cart.where: there is no segment 'lapst'"),
        (cart(MESSAGE | {"only": NEVER}), "cart.steps.one.only: no member event"),
        (cart(MESSAGE | {"wait": "day before eta at 10:00"}), "one.wait: there is no fact 'eta'"),
        (cart(MESSAGE | {"wait": "on count at 10:00"}), "one.wait: count is int, and no date"),
        (cart(MESSAGE | {"wait": "P1D before born_on"}), "born_on is a day; a time is needed"),
        (cart(MESSAGE | {"category": "x"}), "cart.steps.one.category: there is no category"),
        (
            cart(MESSAGE | {"message": "{{ x }}"}),
            "one.message: line 1, column 4: there is",
        ),
        (
            cart(MESSAGE | {"message": ["a", {"text": {"ja": "a", "en": "{{ x }}"}}]}),
            "cart.steps.one.message[1].text.en: line 1, column 4",
        ),
        (cart(MESSAGE | {"message": ["a"] * 6}), "cart.steps.one.message: 1 to 5 messages"),
        (cart(MESSAGE | {"message": "あ" * 5001}), "cart.steps.one.message (ja): messages[0].text"),
        (cart(MESSAGE, MESSAGE), "cart.steps.one: two steps have this name"),
        (cart({"name": "one", "only": {"segment": "lapsed"}}), "one.only: is about a message"),
        (cart({"name": "one", "expires": "PT1H"}), "one.expires: is about a message"),
        (cart({"name": "one"}), "cart.steps.one: does nothing"),
        (cart(MESSAGE | {"then": "two"}), "cart.steps.one.then: there is no step 'two'"),
        (
            cart(MESSAGE | {"branch": [{"when": {"segment": "lapsed"}, "go": "tow"}]}),
            "cart.steps.one.branch[0].go: there is no step 'tow'",
        ),
        (cart(MESSAGE | {"then": "one"}), "cart.steps.one: never ends: one → one"),
        (
            cart(MESSAGE, {"name": "two", "wait": "P1D", "then": "one"}),
            "cart.steps.one: never ends: one → two → one",
        ),
        (
            cart(
                MESSAGE,
                {"name": "b", "branch": [{"when": {"segment": "lapsed"}, "go": "one"}]},
                {"name": "c", "message": "a"},
            ),
            "never ends: one → b → one",
        ),
        (
            cart(MESSAGE | {"then": "end"}, {"name": "two", "message": "a"}),
            "cart.steps.two: no step leads here",
        ),
    ],
)
def test_what_could_not_run_is_said_with_its_place(data: dict[str, Any], said: str) -> None:
    found = problems(data)
    assert len(found) == 1, found
    assert said in found[0]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems(cart(MESSAGE | {"then": "x", "category": "y"}, goal="a.b", category="z"))
    assert len(found) == 4


def test_lengths_are_judged_by_the_facts_at_hand() -> None:
    scenario = read_scenario("cart", cart(MESSAGE | {"message": "{{ version }}" * 50}))
    assert not check_scenario(scenario, WORLD).problems
    [problem] = check_scenario(scenario, WORLD, at_hand=[{"version": "v" * 200}]).problems
    assert "longer than 5000" in problem.message


def test_a_hundred_steps_that_all_lead_to_all_later_ones_are_looked_at_quickly() -> None:
    steps = [
        {
            "name": f"s{number}",
            "branch": [
                {"when": {"segment": "lapsed"}, "go": f"s{later}"}
                for later in range(number + 1, 100)
            ],
            "message": "a",
        }
        for number in range(100)
    ]
    began = datetime.now(UTC)
    assert problems(cart(*steps)) == []
    assert datetime.now(UTC) - began < timedelta(seconds=20)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({"fact": "count", "at_least": 3}, True),
        ({"fact": "count", "above": 3}, False),
        ({"fact": "note", "is": "x"}, False),
        ({"not": {"fact": "note", "is": "x"}}, True),
        ({"fact": "note", "is_set": False}, True),
        ({"fact": "count", "is_set": True}, True),
        ({"fact": "start", "in_next_days": 7}, True),
        ({"fact": "start", "in_next_days": 1}, False),
        ({"event": "order.placed"}, True),
        ({"event": "order.placed", "at_least": 2}, False),
        ({"segment": "lapsed"}, True),
        ({"all": [{"segment": "lapsed"}, {"segment": "gold"}]}, False),
        ({"any": [{"segment": "gold"}, {"segment": "lapsed"}]}, True),
    ],
)
def test_a_condition_is_asked_of_a_run(condition: dict[str, Any], answer: bool) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    asking = Asking(
        facts={"count": 3, "note": None, "start": now + timedelta(days=3)},
        types={
            "count": ValueType(int),
            "note": ValueType(str, is_optional=True),
            "start": ValueType(datetime),
        },
        clock=Clock(now, ZoneInfo("Asia/Tokyo")),
        times_done={"order.placed": 1}.__getitem__,
        is_in=lambda name: name == "lapsed",
    )
    found = read_condition(condition)
    assert holds(found, asking) is answer
    assert read_condition(write_condition(found)) == found


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cart\.toml can't be read"):
        scenarios_of_file(tmp_path / "cart.toml", home="shop")
    (tmp_path / "cart.toml").write_text("[cart", "utf-8")
    with pytest.raises(UsageError, match=r"cart\.toml is no TOML"):
        scenarios_of_file(tmp_path / "cart.toml", home="shop")
