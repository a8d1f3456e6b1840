"""What a server for development says at its start: what is wrong, before a customer finds out.

Missing tables at once, then what the doctor finds without asking anybody.
"""

from __future__ import annotations

import logging
import os
import threading
import time

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigError
from ..log_fields import log_fields
from ..models.sqlite import is_in_memory
from ..setting_up.tables import check_tables
from ..state import LineState

logger = logging.getLogger(__name__)

#: Seconds that a shop has for ``db.create_all()`` behind ``line.init_app(app)``.
PATIENCE = 3.0
#: Seconds without a new page after which an app is taken to be whole, and so often at the most.
QUIET, MOST_LOOKS = 1.0, 10
#: Families whose checks a start is not the time for: the engines begin with the first request.
_LATER = {"engines"}


def watch_start(app: Flask, line: LineState) -> None:
    """In development, log at start what is wrong: ``flask run`` itself, once.

    A server that was started in another way says at its first request that tables are missing.
    """
    look = _Look(line)
    app.before_request(look.at_request)
    if app.debug and not app.testing and _is_started_by_flask_run():
        threading.Thread(target=look.at_start, name="lineconnect-start", daemon=True).start()


class _Look:
    """One look of a process at its app."""

    def __init__(self, line: LineState):
        self._line = line
        self._is_done = False

    def at_request(self) -> None:
        """Look at the first request of a server that is for development."""
        if not self._is_done:
            self._is_done = True
            if self._line.app.debug and not self._line.app.testing:
                self._say(self._found())

    def at_start(self) -> None:
        """Look as soon as the tables could be there."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._found()) and time.monotonic() < deadline:
            time.sleep(PATIENCE / 10)
        if not self._is_done:
            self._is_done = True
            self._say(found)
            self._wait_for_pages()
            self._hint()

    def _found(self) -> str:
        try:
            check_tables(self._line)
        except ConfigError as error:
            return str(error)
        except SQLAlchemyError as error:
            return f"the database does not answer ({type(error).__name__})"
        return ""

    def _say(self, found: str) -> None:
        if found:
            logger.error("LINE will not work: %s", found, extra=log_fields("tables_missing"))

    def _wait_for_pages(self) -> None:
        """Wait until the factory that called ``line.init_app(app)`` has likely come to its end."""
        known = -1
        for _look in range(MOST_LOOKS):
            count = len(self._line.app.view_functions)
            if count == known:
                return
            known = count
            time.sleep(QUIET)

    def _hint(self) -> None:
        # After the start, which loads none of it.
        from .examination import FAMILIES
        from .examination import examine

        names = {
            check.name
            for family, checks in FAMILIES.items()
            if family not in _LATER
            for check in checks
            if check.name != "tables"
        }
        with self._line.app.app_context():
            if is_in_memory(self._line.db.engine):
                # All threads share its one connection, and a look ends with a rollback.
                return
            for one in examine(self._line, names=names, may_ask=False):
                if one.state == "wrong":
                    logger.warning(
                        "%s; %s (`flask line doctor` looks for more: %s)",
                        one.text,
                        one.mend,
                        one.check,
                        extra=log_fields("doctor_hint", check=one.check),
                    )


def _is_started_by_flask_run() -> bool:
    """Tell whether this process is the one that ``flask run`` lets serve."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return False
    # With the reloader, another process serves, and has this in its environment.
    reloads = context.params.get("reload")
    return reloads is False or os.environ.get("WERKZEUG_RUN_MAIN") == "true"
