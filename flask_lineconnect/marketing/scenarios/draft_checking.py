"""Looks for what is wrong with an owner's messages before anything runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from ...messages.draft_data import Known
from ...messages.draft_data import read_drafts
from ...messages.draft_parts import InvalidDraft
from ...messages.drafts import Draft
from ...messages.drafts import check as check_draft
from ...messages.word_filters import Manner


def check_message(
    message: str,
    known: Known,
    place: str,
    languages: Sequence[str],
    manner: Manner,
    at_hand: Sequence[Mapping[str, Any]] = (),
) -> tuple[tuple[Draft, ...], Sequence[tuple[str, str]]]:
    """Read a message, and return with it what is wrong with it: each place and why.

    :param message: JSON of one draft or of several.
    :param at_hand: values of before, by which lengths are judged.
    """
    try:
        drafts = read_drafts(json.loads(message), known)
    except InvalidDraft as error:
        return (), [(f"{place}{error.place.removeprefix('message')}", error.message)]
    problems = []
    for number, draft in enumerate(drafts):
        where = f"{place}[{number}]" if len(drafts) > 1 else place
        try:
            check_draft(draft, known.variables, languages=languages, manner=manner, at_hand=at_hand)
        except InvalidDraft as error:
            problems.append((f"{where}{error.place.removeprefix('message')}", error.message))
    return drafts, problems
