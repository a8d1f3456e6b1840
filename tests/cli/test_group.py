"""``flask line``: each word has a module, which is loaded when the word is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flask_lineconnect.cli import group

FOLDER = Path(group.__file__).parent
#: What is no word: the group itself, what words share, and the parts of a long one.
SHARED = {
    "campaign_plans",
    "campaign_results",
    "__init__",
    "files",
    "group",
    "member_keys",
    "pausing",
    "progress",
    "scenario_rehearse",
    "scenario_results",
    "scenario_runs",
    "tables",
}


def test_each_word_has_a_module_and_each_module_a_word() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - SHARED
    assert {word.replace("-", "_") for word in group.WORDS} == modules


@pytest.mark.parametrize("word", group.WORDS)
def test_a_word_is_loaded_when_it_is_asked_for(word: str) -> None:
    command = group.line.get_command(click.Context(group.line), word)
    assert command is not None
    assert command.name == word
    assert group.line.get_command(click.Context(group.line), word) is command


def test_the_help_lists_every_word_with_its_help() -> None:
    answer = CliRunner().invoke(group.line, ["--help"])
    listed = answer.output.partition("Commands:\n")[2].splitlines()
    told = dict(line.strip().split(maxsplit=1) for line in listed)
    assert sorted(told) == sorted(group.WORDS)
    assert told["resume"].startswith("End pauses of sending")


def test_an_unknown_word_is_refused_by_name() -> None:
    answer = CliRunner().invoke(group.line, ["set-up"])
    assert answer.exit_code == 2
    assert "No such command 'set-up'" in answer.output


def test_one_word_loads_no_other() -> None:
    script = (
        "import sys\n"
        "from flask_lineconnect.cli.group import line\n"
        "line(['settings'], standalone_mode=False)\n"
        "print(*(name for name in sys.modules if name.startswith('flask_lineconnect.cli.')))\n"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert sorted(answer.stdout.splitlines()[-1].split()) == [
        "flask_lineconnect.cli.group",
        "flask_lineconnect.cli.settings",
    ]


def test_a_shop_may_add_a_word_of_its_own() -> None:
    own = group.WordGroup("line")
    own.add_command(click.Command("greet"))
    assert {"greet", *group.WORDS} == set(own.list_commands(click.Context(own)))
