"""LINE's own look at a message before it is saved: with the longest values, in each language."""

from __future__ import annotations

import json

from ..i18n import languages
from ..line_api.client import LineApi
from ..line_api.http import LineHttp
from ..line_api.validating import validate
from ..marketing.campaigns.messages import messages_for
from ..marketing.scenarios.cards import manner_for
from ..messages.draft_data import read_drafts
from ..messages.drafts import specimens
from ..state import LineState
from .i18n import gettext as _


def complaints_of(line: LineState, message: str, prefix: str) -> dict[str, str]:
    """Return what LINE says is wrong, by the bubble of the composer that has a prefix.

    :param message: JSON of drafts in which nothing else is wrong.
    :raises LineApiError: LINE did not say.
    """
    known, asked = messages_for(line).known, []
    drafts = read_drafts(json.loads(message), known)
    for language in languages():
        manner = manner_for(line, language)
        found = [
            one
            for draft in drafts
            for _language, one in specimens(
                draft, known.variables, languages=[language], manner=manner
            )
        ]
        # Most are written in one language.
        if found not in asked:
            asked.append(found)
    # No connection to the database waits for LINE.
    line.session.rollback()
    errors: dict[str, str] = {}
    for found in asked:
        for one in validate(line.part(LineHttp), line.part(LineApi).messaging_token, found):
            place = prefix if one.message is None else f"{prefix}-{one.message}"
            errors[place] = _("LINEの検査：%(said)s", said=one.text)
    return errors
