"""``flask line campaign …``: plan campaigns, begin, list and stop them."""

from __future__ import annotations

from collections import Counter

import click
from flask.cli import AppGroup
from sqlalchemy import select

from ..errors import UsageError
from ..marketing.campaigns import planning
from ..models import Campaign
from ..models.outbox import UNSENT
from ..outbox import by_hand
from ..state import LineState
from ..state import current_line
from .campaign_plans import register
from .campaign_results import results
from .tables import as_json
from .tables import limited
from .tables import show

campaign = AppGroup("campaign", help="Campaigns: plan them, begin, list and stop them.")
register(campaign)
campaign.add_command(results)


@campaign.command("list")
@limited
@as_json
def list_campaigns(limit: int, is_json: bool) -> None:
    """List campaigns, the latest first: begin, state, recipients, accepted, waiting, key."""
    line = current_line
    statement = select(Campaign).order_by(Campaign.id.desc()).limit(limit)
    rows = []
    for row in line.session.scalars(statement).all():
        counts = _recipients_by_state(line, row)
        rows.append(
            {
                "begin": row.created_at.astimezone(line.config.zone),
                "state": row.state,
                "recipients": row.recipients,
                "accepted": counts["accepted"],
                "waiting": sum(counts[state] for state in UNSENT),
                "key": row.key,
            }
        )
    show(rows, is_json=is_json, empty="There is no campaign.")


@campaign.command("cancel")
@click.argument("key")
def cancel(key: str) -> None:
    """Stop what the campaign has not begun to send. What is on its way can't be called back."""
    line = current_line
    try:
        stopped = planning.cancel(line, key)
    except UsageError as error:
        line.session.rollback()
        raise click.ClickException(str(error)) from None
    line.session.commit()
    counts: Counter[str] = Counter()
    for row in stopped:
        counts += _recipients_by_state(line, row)
    click.echo(
        f"Campaign {key} is cancelled for {counts['cancelled']:,}; "
        f"{counts['accepted']:,} have it, {counts['sending']:,} are on their way."
    )


def _recipients_by_state(line: LineState, row: Campaign) -> Counter[str]:
    return by_hand.count_recipients(line.session, lambda model: model.campaign_id == row.id)
