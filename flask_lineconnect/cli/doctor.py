"""``flask line doctor``: everything that is known to go wrong, each in a sentence with the mend."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import click
from flask.cli import ScriptInfo

from ..doctor.examination import NAMES
from ..doctor.examination import examine
from ..doctor.examination import refused_to_start
from ..doctor.examination import started
from ..doctor.findings import Finding
from ..doctor.findings import State
from ..doctor.findings import worst
from ..state import current_line
from ..state import itself
from .tables import as_json
from .tables import write_json

#: What to say of each state, and in which order.
_WORDS: dict[State, str] = {
    "wrong": "wrong",
    "unasked": "not known",
    "doubtful": "doubtful",
    "untold": "look yourself",
    "fine": "fine",
}


class _Wrong(click.ClickException):
    """Ends the command where something is wrong."""

    exit_code = 1


class _Unasked(click.ClickException):
    """Ends it where nobody knows; 2 is click's own, for wrong options."""

    exit_code = 3


@click.command()
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Only this check.")
@click.option("--offline", is_flag=True, help="Ask neither LINE nor the shop's public address.")
@click.option("--all", "is_all", is_flag=True, help="Show what is fine, too.")
@as_json
@click.pass_context
def doctor(
    ctx: click.Context, only: Sequence[str], offline: bool, is_all: bool, is_json: bool
) -> None:
    """Look for what is known to go wrong, and say the mend of each.

    Ends with 1 if something is wrong, with 3 if LINE, the database or the shop's address did not
    answer, else with 0. What LINE's API does not tell is listed to be looked at by hand.
    """
    findings = _findings(ctx, only or NAMES, may_ask=not offline)
    state = worst(findings)
    if is_json:
        write_json({"state": state, "findings": [asdict(one) for one in findings]})
    else:
        _show(findings, is_all=is_all)
    if state == "wrong":
        raise _Wrong("something is wrong")
    if state == "unasked":
        raise _Unasked("not everything could be asked")


def _findings(ctx: click.Context, names: Sequence[str], *, may_ask: bool) -> list[Finding]:
    try:
        app = ctx.ensure_object(ScriptInfo).load_app()
        with app.app_context():
            line = itself(current_line)
    except click.ClickException:
        raise  # there is no app at all
    except Exception as error:  # whatever stops the app is the finding
        return [refused_to_start(error)]
    with app.app_context():
        return [*started(names), *examine(line, names=names, may_ask=may_ask)]


def _show(findings: Sequence[Finding], *, is_all: bool) -> None:
    for state, word in _WORDS.items():
        for one in findings:
            if one.state == state and (is_all or state != "fine"):
                click.echo(f"{word}: {one.check}")
                for text in filter(None, (one.text, one.mend and f"-> {one.mend}")):
                    click.echo(textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="  "))
    counts = Counter(one.state for one in findings)
    said = ", ".join(f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])
    click.echo(f"{len(findings)} checks: {said}")
