"""How a campaign did among the members of one segment, by text."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from ..errors import LineConnectError
from ..marketing.results.among import people_among
from ..marketing.segments import audience
from ..models import Campaign
from ..state import LineState


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """What members of a segment did.

    :ivar segments: labels of those that can be chosen, by their names.
    :ivar chosen: the name of the one that is asked for; empty: none is.
    :ivar rows: by text: ``accepted``, ``clickers``, ``buyers`` and ``sales``.
    :ivar problem: why the segment chooses nobody.
    """

    segments: Mapping[str, str]
    chosen: str = ""
    rows: Sequence[tuple[str, Mapping[str, int]]] = ()
    problem: str = ""


def segment_figures(
    line: LineState, campaign: Campaign, names: Mapping[str, str]
) -> SegmentFigures | None:
    """Return how a campaign did in the segment that the address names; ``None``: there is none.

    :param names: of the campaign's texts.
    """
    segments = dict(sorted(audience.segment_labels(line).items(), key=lambda one: one[1]))
    chosen = request.args.get("segment", "")
    if not segments or chosen not in segments:
        return SegmentFigures(segments) if segments else None
    try:
        found = people_among(line.session, campaign.id, audience.members_in(line, chosen))
    except LineConnectError as error:
        return SegmentFigures(segments, chosen, problem=str(error))
    rows = [(names.get(variant, variant), figures) for variant, figures in found.items()]
    return SegmentFigures(segments, chosen, rows)
