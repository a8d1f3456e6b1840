"""``flask line friends …``: note the friends of before, and invite them to link."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from jinja2 import TemplateError
from sqlalchemy import ColumnElement
from sqlalchemy import func
from sqlalchemy import select

from ..config.plans import Estimate
from ..errors import LineConnectError
from ..line_api.client import LineApi
from ..marketing.friends import inviting
from ..marketing.friends.adding import Added
from ..marketing.friends.adding import add_friends
from ..marketing.friends.follower_list import followers
from ..marketing.friends.id_files import IdLine
from ..marketing.friends.id_files import read_ids
from ..messages.objects import Reply
from ..messages.render import render_message
from ..models import Account
from ..models import Campaign
from ..state import LineState
from ..state import current_line
from .files import FilePath
from .tables import as_json
from .tables import write_json

friends = AppGroup("friends", help="Friends who are no members yet: note them, invite them.")

#: What became of ids, in words.
_WORDS = {
    "new": "noted as friends",
    "noted": "known, and noted as friends now",
    "known": "known as friends before",
    "linked": "members already",
    "blocked": "have blocked the account, as LINE told",
}


@friends.command("count")
@as_json
def count_friends(is_json: bool) -> None:
    """Count people on LINE: friends with and without a link, and who would be invited now."""
    line = current_line
    is_linked = Account.member_id.is_not(None)
    found = {
        "linked": _count(line, Account.is_friend.is_(True), is_linked),
        "not linked": _count(line, Account.is_friend.is_(True), ~is_linked),
        "to be invited": inviting.estimate_invitation(line).recipients,
    }
    if is_json:
        write_json(found)
        return
    for word, number in found.items():
        click.echo(f"{word:<14} {number:,}")


@friends.command("import")
@click.argument("file", type=FilePath(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", help="The heading of the column with the ids, if it is not found.")
@as_json
def import_friends(file: Path, column: str | None, is_json: bool) -> None:
    """Note the LINE user ids of a CSV file as friends without a link.

    A line without an id is told with its number and costs no other one. May be repeated.
    Ends with 1 if there was such a line.
    """
    line, sorting = current_line, _Sorting()
    try:
        ids = sorting.good(read_ids(file, column=column), is_quiet=is_json)
        added = add_friends(line.session, ids, now=line.clock())
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    _show_added(added, sorting, is_json=is_json)
    if sorting.bad:
        raise SystemExit(1)


@friends.command("fetch")
@as_json
def fetch_friends(is_json: bool) -> None:
    """Ask LINE for the list of friends, and note them. For verified and premium accounts.

    May be repeated, also when it broke off.
    """
    line = current_line
    now = line.clock()
    try:
        added = add_friends(line.session, followers(line.part(LineApi)), now=now, told_at=now)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    _show_added(added, _Sorting(), is_json=is_json)


@friends.command("invite")
@click.option("--key", default="invitation", show_default=True, help="Names the campaign.")
@click.option("--message", "template", help="A JSON template of the shop's; ours by default.")
@click.option("--send-at", type=click.DateTime(), help="Not before, in the shop's time zone.")
@click.option(
    "--again-after",
    type=click.IntRange(0, 3_650),
    default=30,
    show_default=True,
    help="Leave out who was invited within so many days.",
)
@click.option("--yes", is_flag=True, help="Don't ask.")
def invite_friends(
    key: str, template: str | None, send_at: datetime | None, again_after: int, yes: bool
) -> None:
    """Invite all friends who are not linked to register, or to link their membership.

    One campaign, which `flask line campaign` shows and cancels. Who links or blocks before it
    goes is left out. Says how many they are and what it costs, and asks.
    """
    line, pause = current_line, timedelta(days=again_after)
    campaign = line.session.scalars(select(Campaign).where(Campaign.key == key)).one_or_none()
    if campaign is not None:
        raise click.ClickException(f"there is a campaign {key} already; name another --key")
    message = _message(line, template)
    found = inviting.estimate_invitation(line, again_after=pause)
    if not found.recipients:
        click.echo("There is nobody to invite.")
        return
    click.echo(_said(found))
    if not yes:
        click.confirm("Send it?", abort=True)
    at = None if send_at is None else send_at.replace(tzinfo=line.config.zone)
    try:
        campaign = inviting.invite(line, key, message, send_at=at, again_after=pause)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    line.session.commit()
    click.echo(f"Campaign {key} has begun: {campaign.recipients:,} are invited.")


@dataclass(slots=True)
class _Sorting:
    """Takes the ids out of a file's lines, and keeps what is wrong with the others."""

    bad: list[IdLine] = field(default_factory=list)
    twice: int = 0

    def good(self, lines: Iterable[IdLine], *, is_quiet: bool) -> Iterator[str]:
        """Return each id once."""
        seen: set[bytes] = set()
        for one in lines:
            if one.line_user_id is None:
                self.bad.append(one)
                if not is_quiet:
                    click.echo(f"line {one.number}: {one.problem}", err=True)
                continue
            # A quarter of the memory that the text takes.
            short = bytes.fromhex(one.line_user_id[1:])
            if short in seen:
                self.twice += 1
                continue
            seen.add(short)
            yield one.line_user_id


def _show_added(added: Added, sorting: _Sorting, *, is_json: bool) -> None:
    if is_json:
        bad = [{"line": one.number, "problem": one.problem} for one in sorting.bad]
        write_json({**asdict(added), "twice": sorting.twice, "bad": bad})
        return
    for name, number in asdict(added).items():
        if number or name == "new":
            click.echo(f"{number:,} {_WORDS[name]}")
    if sorting.twice:
        click.echo(f"{sorting.twice:,} lines say an id again")
    if sorting.bad:
        click.echo(f"{len(sorting.bad):,} lines have no id; all others are noted")


def _message(line: LineState, template: str | None) -> Reply:
    if template is None:
        return inviting.invitation(line)
    try:
        with current_app.test_request_context():
            return render_message(template)
    except (TemplateError, LineConnectError) as error:
        raise click.ClickException(f"{template}: {error}") from None


def _said(found: Estimate) -> str:
    cost = "" if found.yen is None else f" It adds {found.yen:,} yen to LINE's bill."
    left = ""
    if not found.fits:
        left = f" Only {found.left:,} messages are left this month: the others wait."
    return f"{found.recipients:,} friends are not linked and would be invited.{cost}{left}"


def _count(line: LineState, *conditions: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(Account).where(*conditions)
    return line.session.scalar(statement) or 0
