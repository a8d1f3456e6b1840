"""How many people a sentence chooses while it is being put together: about, then exactly.

The page asks twice: first for an estimate, which is there at once, then for the number. Each page
has a name of its own, and a newer question of the same page ends an older one where it runs: on
PostgreSQL the connection is called by that name as long as the question takes, and the newer one
cancels whatever is called so, in whichever process. No question runs for long in any case.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import jsonify
from flask import request
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import true
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from ..marketing.segments import audience
from ..marketing.segments import sampling
from ..marketing.segments.errors import InvalidRule
from ..marketing.segments.rules import Rule
from ..outbox import budget
from ..outbox.rules import Rules
from ..shop.categories import ACCOUNT
from ..shop.categories import Category
from ..state import LineState
from ..state import current_line
from . import clauses
from . import writing
from .i18n import gettext as _
from .staff import current_staff

#: Milliseconds after which the database gives up a question.
LONGEST = 20_000
#: PostgreSQL's code of a statement that was cancelled.
CANCELLED = "57014"
#: HTTP's word for what nobody waits for any more; the page asks anew by itself.
GIVEN_UP = 409


def estimate_segment() -> Response:
    """Say how many people the sentence of a form chooses, as JSON; changes nothing."""
    line = current_line
    sentence = clauses.from_form(request.form)
    try:
        rule = clauses.to_rule(audience.shop_of(line), sentence)
        _end_older(line, request.form.get("page", ""))
        return jsonify(_told(line, rule, is_exact="exact" in request.form))
    except InvalidRule as error:
        return jsonify(problem=error.message)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != CANCELLED:
            raise
        # By a newer question, or because it took too long.
        answer = jsonify({})
        answer.status_code = GIVEN_UP
        return answer
    finally:
        # The name of the connection ends with the transaction.
        line.session.rollback()


def usual_category(line: LineState) -> Category:
    """Return the kind of message that is meant: the shop's first kind of advertising."""
    ads = [one for one in line.shop.categories if one.is_marketing]
    return ads[0] if ads else ACCOUNT


def _told(line: LineState, rule: Rule, *, is_exact: bool) -> dict[str, Any]:
    found = None if is_exact else sampling.guess(line.session, rule, audience.shop_of(line))
    if found is not None:
        about, error = writing.people(found.chosen), writing.number(found.error)
        words = _("約%(about)s（±%(error)s人）", about=about, error=error)
        return {"chosen": words, "note": _("正確な人数を数えています…"), "is_exact": False}
    category = usual_category(line)
    reach = audience.reach_of(line, audience.members_where(line, rule), category)
    cost = budget.estimate(
        line.session, line.part(Rules).budget, reach.reachable, category, now=line.clock()
    )
    reached = _("届く人 %(n)s", n=writing.people(reach.reachable))
    parts = [reached] if cost.yen is None else [reached, writing.yen(float(cost.yen))]
    return {"chosen": writing.people(reach.chosen), "note": "・".join(parts), "is_exact": True}


def _end_older(line: LineState, page: str) -> None:
    """Call the connection by the page's name, and cancel what is called so already."""
    session = line.session
    if session.get_bind().dialect.name != "postgresql":
        return
    name = (
        "lineconnect " + hashlib.sha256(f"{current_staff().key}:{page}".encode()).hexdigest()[:40]
    )
    older = text(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        " AND usename = current_user AND pid <> pg_backend_pid() AND state = 'active'"
    )
    session.execute(older, {"name": name})
    # Until the end of the transaction.
    for setting, value in (("application_name", name), ("statement_timeout", str(LONGEST))):
        session.execute(select(func.set_config(setting, value, true())))
