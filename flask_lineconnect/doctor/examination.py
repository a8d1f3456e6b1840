"""All checks, by family, in the order in which somebody would mend what they find.

Each family has a module: ``shop.py``, ``code.py``, ``serving.py``, ``database.py`` and
``engines.py`` ask the app; ``channels.py``, ``login.py``, ``liff.py``, ``webhook.py`` and
``account.py`` ask LINE.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from ..errors import LineApiError
from ..errors import LineConnectError
from ..state import LineState
from . import account
from . import channels
from . import code
from . import database
from . import engines
from . import liff
from . import login
from . import serving
from . import setting_names
from . import shop
from . import webhook
from .findings import Check
from .findings import Finding
from .findings import Said
from .findings import unasked
from .visit import Visit

FAMILIES: Mapping[str, Sequence[Check]] = {
    "shop": (*setting_names.CHECKS, *shop.CHECKS),
    "code": code.CHECKS,
    "serving": serving.CHECKS,
    "database": database.CHECKS,
    "engines": engines.CHECKS,
    "channels": channels.CHECKS,
    "login": login.CHECKS,
    "liff": liff.CHECKS,
    "webhook": webhook.CHECKS,
    "account": account.CHECKS,
}
_MISSING = re.compile(r"(LINECONNECT_\w+) is missing\.")
_PERSON = re.compile("U[0-9a-f]{32}")
#: What an app is called in place of a check that did not start at all.
START = "start"
NAMES = (START, *(check.name for checks in FAMILIES.values() for check in checks))


def examine(
    line: LineState, *, names: Collection[str] = NAMES, may_ask: bool = True
) -> Iterator[Finding]:
    """Look at one app; give a finding for each check whose question arises.

    :param names: of the checks.
    :param may_ask: whether LINE and the shop's public address are asked.
    """
    visit = Visit(line)
    for family, checks in FAMILIES.items():
        for check in checks:
            if check.name not in names or (check.asks and not may_ask):
                continue
            said = _looked(check, visit)
            if said is not None:
                yield Finding(family, check.name, said.state, said.text, said.mend)


def started(names: Collection[str]) -> list[Finding]:
    """Return the finding of an app that did start."""
    return [Finding("shop", START, "fine", "the app starts")] if START in names else []


def refused_to_start(error: Exception) -> Finding:
    """Return the finding of an app that did not start.

    Our own errors say the mend; words of others may hold a password.
    """
    mend = ""
    if isinstance(error, LineConnectError):
        said = str(error)
        missing = _MISSING.findall(said)
        mend = setting_names.unread({}, os.environ, missing) if missing else ""
    elif isinstance(error, ModuleNotFoundError):
        said, mend = f"the package {error.name} is missing", f"`pip install {error.name}`"
    else:
        said, mend = type(error).__name__, "`flask routes` shows where"
    return Finding("shop", START, "wrong", f"the app does not start: {said}", mend)


def _looked(check: Check, visit: Visit) -> Said | None:
    try:
        return check.look(visit)
    except LineApiError as error:
        said = _PERSON.sub("U…", error.text)
        return unasked(f"not known: {said}", "run it again; LINE's status page tells more")
    except SQLAlchemyError as error:
        return unasked(
            f"not known: the database did not answer ({type(error).__name__})",
            "mend what the checks `database` and `tables` say",
        )
    except Exception as error:  # an odd shop must not hide what the other checks find
        return unasked(f"not known: the check failed ({type(error).__name__})", "report it to us")
    finally:
        visit.line.session.rollback()
