"""The names under which LINE counts messages together: of a campaign, of a scenario's step.

A name follows from the row alone, so that a repeated request is the same to the byte. LINE takes
1,000 names a month.
Source: Messaging API reference, "customAggregationUnits"; 1 to 30 letters, digits and underscores.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from sqlalchemy import Row

from .of_runs import OF_RUN


def campaign_unit(campaign_id: int) -> str:
    """Return a campaign's name."""
    return f"campaign_{campaign_id}"


def step_unit(scenario_id: int, step: str, month: str) -> str:
    """Return the name of a scenario's step in a month.

    :param month: such as ``2026-11``, in LINE's zone.
    """
    return f"s{scenario_id}_{crc32(step.encode()):08x}_{month.replace('-', '')}"


def unit_of(row: Row[Any], month: str) -> str | None:
    """Return the name for a claimed message or batch; ``None`` where it belongs to nothing.

    Behind the run in the key of a run's message stands the step.
    """
    if row.campaign_id is not None:
        return campaign_unit(row.campaign_id)
    if row.scenario_id is None or not (row.dedupe_key or "").startswith(OF_RUN):
        return None
    _run, _colon, step = row.dedupe_key.removeprefix(OF_RUN).partition(":")
    return step_unit(row.scenario_id, step, month)
