"""``flask line scenario rehearse …``: what would come of a scenario; or see it on one phone."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from ..line_api.client import LineApi
from ..line_api.native_threads import run_in_native_thread
from ..line_api.sender import Sender
from ..linking import accounts
from ..marketing.scenarios import first_run
from ..marketing.scenarios import rehearsal
from ..marketing.scenarios.declared import Scenarios
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.playing import SENT
from ..marketing.scenarios.playing import PlayedRun
from ..marketing.scenarios.rehearsal import Rehearsal
from ..state import LineState
from ..state import current_line
from ..state import itself
from .member_keys import member_key_of
from .pausing import said
from .tables import Row
from .tables import as_json
from .tables import limited
from .tables import show
from .tables import write_json

_LENGTH = re.compile(r"([1-9]\d{0,3})([dhw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@click.command()
@click.argument("name")
@click.option(
    "--since",
    "length",
    default="30d",
    show_default=True,
    help="How far back to play: such as 30d, 12h or 2w.",
)
@click.option(
    "--phone",
    "member_id",
    metavar="MEMBER",
    help="Send it instead to the phone of the member with this key, at the emulator, at once.",
)
@click.option(
    "--pause",
    "seconds",
    type=click.FloatRange(0, 60),
    default=1.0,
    show_default=True,
    help="With --phone: seconds between two messages, whatever the waits are.",
)
@limited
@as_json
@with_appcontext
def rehearse(
    name: str, length: str, member_id: str | None, seconds: float, limit: int, is_json: bool
) -> None:
    """Play a declared scenario over what members did lately: who would have got what, and when.

    Nothing is written, and nothing is sent. What is known of members is as it is now.
    """
    line = itself(current_line)
    # The shop makes addresses of products.
    with said(), line.work_context():
        scenario = line.part(Scenarios).get(name)
        if member_id is not None:
            _show_on_phone(line, scenario, member_key_of(member_id), seconds)
            return
        found = rehearsal.rehearse(line, scenario, since=line.clock() - _length(length))
    if is_json:
        write_json(_figures(found, line.config.zone))
        return
    _tell(found, line.config.zone, limit)


def _length(text: str) -> timedelta:
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise click.ClickException(f"--since {text}: write it as 30d, 12h or 2w")
    return int(found[1]) * _UNITS[found[2]]


def _figures(found: Rehearsal, zone: ZoneInfo) -> dict[str, Any]:
    """Return all of it for programs."""
    cost = found.cost
    return {
        "scenario": found.scenario.name,
        "since": found.since.astimezone(zone),
        "until": found.until.astimezone(zone),
        "members": found.members,
        "runs": len(found.runs),
        "messages": found.messages,
        "yen": None if cost is None or cost.yen is None else float(cost.yen),
        "left": None if cost is None else cost.left,
        "not_begun": dict(found.not_begun),
        "ends": dict(found.ends()),
        "steps": _outcomes(found),
        "played": [_run(run, zone) for run in found.runs],
    }


def _outcomes(found: Rehearsal) -> list[Row]:
    names = [step.name for step in found.scenario.steps]
    counted = sorted(found.outcomes().items(), key=lambda one: (names.index(one[0][0]), -one[1]))
    return [
        {"step": step, "outcome": outcome, "reason": reason, "times": times}
        for (step, outcome, reason), times in counted
    ]


def _run(run: PlayedRun, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "member": str(run.member),
        "about": run.key or None,
        "began": run.began_at.astimezone(zone),
        "ended": None if run.ended_at is None else run.ended_at.astimezone(zone),
        "reason": run.end_reason,
        "steps": [
            {
                "step": step.step,
                "at": step.at.astimezone(zone),
                "outcome": step.outcome,
                "reason": step.reason,
                "messages": list(step.messages),
            }
            for step in run.steps
        ],
    }


def _tell(found: Rehearsal, zone: ZoneInfo, limit: int) -> None:
    since, until = (at.astimezone(zone) for at in (found.since, found.until))
    click.echo(
        f"{found.scenario.name}, played from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}. "
        "Nothing was written or sent.\n"
    )
    rows = [("members", found.members), ("runs", len(found.runs)), ("messages", found.messages)]
    for word, number in rows:
        click.echo(f"{word:<9}{number:,}")
    click.echo(f"cost     {_cost(found)}")
    for title, counts in (("not begun", found.not_begun), ("ended", found.ends())):
        rows = sorted(counts.items(), key=lambda one: -one[1])
        if rows:
            click.echo()
            show([{title: why, "times": n} for why, n in rows], is_json=False, empty="")
    if outcomes := _outcomes(found):
        click.echo()
        show(outcomes, is_json=False, empty="")
    _tell_messages(found, zone, limit)


def _tell_messages(found: Rehearsal, zone: ZoneInfo, limit: int) -> None:
    sent = [(s.at, run.member, s) for run in found.runs for s in run.steps if s.outcome == SENT]
    if not sent:
        return
    rows: list[Row] = [
        {
            "at": at.astimezone(zone),
            "member": str(member),
            "step": step.step,
            "message": rehearsal.words_of(step),
        }
        for at, member, step in sorted(sent, key=lambda one: one[0])[:limit]
    ]
    click.echo()
    show(rows, is_json=False, empty="")
    if len(sent) > limit:
        click.echo(f"… and {len(sent) - limit:,} more; --limit shows them, --json has all")


def _cost(found: Rehearsal) -> str:
    cost = found.cost
    if cost is None or current_line.config.plan is None:
        return "not known: LINECONNECT_PLAN says the price of a message"
    if cost.yen is None:
        return "more than the plan sells"
    left = "" if cost.left is None else f"; {cost.left:,} messages are left this month"
    return f"{cost.yen:,.0f} yen beyond the plan's fee, on top of this month's messages{left}"


def _show_on_phone(line: LineState, scenario: Scenario, member_id: Any, seconds: float) -> None:
    """Send what a run of one member's would send, one message after the other."""
    if line.config.emulator_url is None:
        raise click.ClickException(
            "--phone sends to the emulator alone; run `flask line emulator`, and set "
            "LINECONNECT_EMULATOR_URL"
        )
    run = first_run.first_run(line, scenario, member_id)
    account = accounts.account_of(line.session, member_id)
    assert account is not None
    to = account.line_user_id
    # Whoever calls the command from a notebook or a test may have an event loop here.
    run_in_native_thread(lambda: asyncio.run(_play(line, run, to, seconds)), "lineconnect-phone")
    click.echo(f"ended: {run.end_reason}")


async def _play(line: LineState, run: PlayedRun, line_user_id: str, seconds: float) -> None:
    api, zone = line.part(LineApi), line.config.zone
    async with Sender(api.hosts.api, api.messaging_token, api.timeout_seconds) as sender:
        for number, step in enumerate(run.steps):
            why = "" if step.reason is None else f": {step.reason}"
            at = step.at.astimezone(zone)
            click.echo(f"{at:%Y-%m-%d %H:%M}  {step.step}  {step.outcome}{why}")
            if step.outcome != SENT:
                continue
            if number:
                await asyncio.sleep(seconds)
            body = json.dumps({"to": line_user_id, "messages": list(step.messages)}).encode()
            answer = await sender.send("push", body, retry_key=str(uuid.uuid4()))
            if not answer.is_accepted:
                raise click.ClickException(answer.why)
