"""`flask line scenario`: scenarios of code and of TOML files, shown and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import UsageError
from flask_lineconnect.cli.group import line as commands
from tests.conftest import MakeApp
from tests.marketing.scenario_shop import Stage
from tests.people import add_member
from tests.people import link
from tests.small_shop import db
from tests.small_shop import line as extension

TOML = """
[welcome]
label = "ようこそ"
starts_on = "line.linked"
key = "member"
again = "never"
category = "news"

[[welcome.steps]]
name = "hello"
message = "{{ shop_name }}です。"

[[welcome.steps]]
name = "points"
wait = "P2D at 10:00"
message = "ポイントカードはこちらです。"
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def blueprint(tmp_path: Path) -> LineBlueprint:
    """Return a blueprint with two scenarios, of which one is broken."""
    blueprint = LineBlueprint("shop", __name__, root_path=str(tmp_path))
    (tmp_path / "scenarios.toml").write_text(TOML, "utf-8")
    blueprint.scenarios_from("scenarios.toml")
    # Before its event: the order in which a shop declares does not matter.
    blueprint.scenario(
        "cart",
        label="お買い忘れのお知らせ",
        starts_on="cart.changed",
        key="member",
        again="restart",
        goal="order.plced",
        category="cart",
        steps=[{"name": "remind", "wait": "PT1H", "message": "{{ conut }}点あります。"}],
    )
    blueprint.member_event("cart.changed", label="", facts={"count": Fact(int, "")})
    blueprint.member_event("order.placed", label="")
    return blueprint


@pytest.fixture
def run(make_app: MakeApp, blueprint: LineBlueprint) -> Run:
    """Return what runs a command in a shop with these scenarios."""
    app = make_app()
    app.register_blueprint(blueprint)
    return _runner(app)


def _runner(app: Flask) -> Run:
    def run(*words: str) -> tuple[int, str]:
        answer = app.test_cli_runner().invoke(commands, ["scenario", *words])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.output

    return run


def test_scenarios_are_listed_below_headings(run: Run) -> None:
    code, output = run("list")
    heading, cart, welcome = output.splitlines()
    assert code == 0
    assert heading.split()[:5] == ["name", "state", "version", "label", "begins"]
    assert cart.split() == [
        *(
            "cart",
            "draft",
            "-",
            "お買い忘れのお知らせ",
            "cart.changed",
            "1",
            "restart",
            "order.plced",
            "shop",
            "2",
        ),
    ]
    assert welcome.split()[:6] == ["welcome", "draft", "-", "ようこそ", "line.linked", "2"]
    listed = json.loads(run("list", "--json")[1])
    assert [one["problems"] for one in listed] == [2, 0]


def test_a_scenario_is_shown_step_by_step(run: Run) -> None:
    code, output = run("show", "welcome")
    assert code == 0
    assert "again: never" in output
    assert output.splitlines()[-1].split() == [
        *("points", "P2D", "at", "10:00", "message", "-", "-", "wait", "drop", "-", "end"),
    ]
    shown = json.loads(run("show", "welcome", "--json")[1])
    assert shown["welcome"]["steps"][1] == {
        "name": "points",
        "wait": "P2D at 10:00",
        "message": "ポイントカードはこちらです。",
    }


def test_what_is_wrong_is_listed_with_its_place_and_holds_back_no_other(run: Run) -> None:
    code, output = run("check")
    assert code == 1
    assert "cart.goal" in output
    assert "Did you mean order.placed" in output
    assert "cart.steps.remind.message" in output
    assert "line 1, column 4: there is no value 'conut'. Did you mean count" in output
    assert run("check", "welcome") == (0, "Nothing is wrong with welcome.\n")
    code, output = run("check", "--json")
    assert code == 1
    assert [one["place"] for one in json.loads(output)] == [
        "cart.goal",
        "cart.steps.remind.message",
    ]


def test_the_length_of_a_message_is_judged_by_what_was_told(
    make_app: MakeApp, blueprint: LineBlueprint
) -> None:
    blueprint.scenario(
        "long",
        label="x",
        starts_on="order.paid",
        key="member",
        again="never",
        category="order",
        steps=[{"name": "thanks", "message": "{{ note }}" * 6}],
    )
    blueprint.member_event("order.paid", label="", facts={"note": Fact(str, "")})
    app = make_app()
    app.register_blueprint(blueprint)
    run = _runner(app)
    assert run("check", "long")[0] == 0
    with app.app_context():
        member = add_member(app.extensions["lineconnect"])
        extension.emit("order.paid", member, note="あ" * 1_000)
        db.session.commit()
    code, output = run("check", "long")
    assert code == 1
    assert "longer than 5000" in output


def test_a_name_that_there_is_not_is_said(run: Run) -> None:
    for word in ("show", "check"):
        code, output = run(word, "welcom")
        assert code == 1
        assert "there is no scenario 'welcom'. Did you mean welcome?" in output


def test_a_shop_without_scenarios_is_told_so(make_app: MakeApp) -> None:
    run = _runner(make_app())
    assert run("list") == (0, "No scenarios are declared.\n")
    assert run("check") == (0, "No scenarios are declared.\n")
    assert json.loads(run("list", "--json")[1]) == []


def test_a_scenario_declared_twice_is_refused(make_app: MakeApp, blueprint: LineBlueprint) -> None:
    other = LineBlueprint("other", __name__)
    other.scenario(
        "welcome",
        label="x",
        starts_on="line.linked",
        key="member",
        again="never",
        category="news",
        steps=[{"name": "hello", "message": "a"}],
    )
    app = make_app()
    app.register_blueprint(blueprint)
    with pytest.raises(UsageError, match="declared twice, in the blueprints shop and other"):
        app.register_blueprint(other)


def test_a_scenario_that_cant_be_read_is_refused_where_it_is_declared(tmp_path: Path) -> None:
    blueprint = LineBlueprint("shop", __name__, root_path=str(tmp_path))
    with pytest.raises(UsageError, match=r"^cart\.starts_when: there is no such word"):
        blueprint.scenario("cart", label="x", starts_when="cart.changed")
    with pytest.raises(UsageError, match=r"missing\.toml can't be read"):
        blueprint.scenarios_from("missing.toml")


def test_a_scenario_is_published_paused_resumed_and_stopped(run: Run) -> None:
    assert run("publish", "welcome") == (0, "welcome runs as version 1.\n")
    assert run("publish", "welcome")[1] == "welcome runs; nothing has changed since version 1.\n"
    code, output = run("publish", "cart")
    assert code == 1
    assert "cart can't be published:\n  cart.goal: " in output
    assert run("resume", "welcome")[1] == (
        "Error: the scenario welcome is running, and not paused\n"
    )
    assert run("pause", "welcome") == (0, "welcome is paused.\n")
    assert json.loads(run("list", "--json")[1])[1]["state"] == "paused"
    assert run("resume", "welcome") == (0, "welcome goes on.\n")
    assert run("stop", "welcome") == (0, "welcome is stopped; 0 runs ended.\n")
    assert json.loads(run("list", "--json")[1])[1] == {
        **json.loads(run("list", "--json")[1])[1],
        "state": "stopped",
        "version": 1,
    }
    assert run("stop", "cart")[1] == "Error: the scenario cart was never published\n"
    assert run("runs", "cart")[1] == "Error: the scenario cart was never published\n"
    assert "Did you mean welcome?" in run("runs", "welcom")[1]


def test_runs_are_listed_with_what_their_steps_did(make_app: MakeApp) -> None:
    app = make_app()
    with app.app_context():
        stage = Stage(app)
        member = add_member(stage.line)
        link(stage.line, member)
        stage.publish()
        stage.tell("cart.changed", member, version="7")
        stage.play(hours=1)
        stage.declare("cart", again="never", key="member")
    run = _runner(app)
    listed = json.loads(run("runs", "cart", "--live", "--json")[1])
    assert [(one["member"], one["about"], one["step"]) for one in listed] == [("1", "7", "end")]
    [step] = json.loads(run("runs", "cart", "--run", "1", "--json")[1])
    assert (step["step"], step["outcome"], step["reason"]) == ("remind", "queued", None)
    assert run("runs", "cart", "--failed")[1] == "There are no runs that fit.\n"
    assert run("runs", "cart", "--member", "9")[1] == "There are no runs that fit.\n"
    [state] = {one["state"] for one in json.loads(run("list", "--json")[1])}
    assert state == "running, changed since version 1"
    code, output = run("publish", "cart")
    assert (code, "say who of those already there goes by this version" in output) == (1, True)
    said = run("publish", "cart", "--enrol", "all")[1]
    assert said == "cart runs as version 2. 1 runs that are under way go by it.\n"
