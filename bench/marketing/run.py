"""Segments beside SQL written by hand, and `line.emit` beside a bare INSERT, on both databases.

``pip install -e '.[bench,demo,dev]' && python bench/marketing/run.py``; the size is that of
``--members``, ``--orders`` and ``--events``. SQLite in a temporary folder and a PostgreSQL of its
own, unless ``--database`` names one of them, or the address of an empty one, as SQLAlchemy has it.
Each pair is measured in turns in the same run; the best of the turns counts. What the database does
for each segment and its pair is written to ``--explain-to``.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from measuring import Measuring
from measuring import measure
from questions import BY_HAND

#: Databases that are made for the run.
MADE = ("sqlite", "postgresql")


def main() -> None:
    """Measure in each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=250_000)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--database", action="append", help="may be given several times")
    parser.add_argument("--only", choices=sorted(BY_HAND), help="measure one segment")
    parser.add_argument("--explain-to", type=Path, default=Path("segments-explained.txt"))
    options = parser.parse_args()
    sizes = {"members": options.members, "orders": options.orders, "events": options.events}
    names = [options.only] if options.only else list(BY_HAND)
    with options.explain_to.open("w", encoding="utf-8") as plans:
        for database in options.database or MADE:
            with ExitStack() as stack:
                uri = _made(database, stack) if database in MADE else database
                measure(uri, Measuring(sizes, options.turns, names, plans))
    print(f"What the databases do is in {options.explain_to}.")


def _made(database: str, stack: ExitStack) -> str:
    if database == "sqlite":
        return f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/shop.db"
    from tests.postgres import create_database
    from tests.postgres import running_server

    return create_database(stack.enter_context(running_server()), "shop")


if __name__ == "__main__":
    main()
