"""What a session that LINE gave costs at each request, beside one of the shop's own login.

``PYTHONPATH=. python bench/login/standing.py``. The two take turns, request by request, on a page
that shows its member; CPU time of this process, and the statements that the database was asked.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event

from flask_lineconnect.testing.emulator import run_emulator
from tests.people import BASE_URL
from tests.people import sign_up
from tests.small_shop import SETTINGS
from tests.small_shop import create_app
from tests.small_shop import db

WARM_UP = 200


def time_of(act: Callable[[], object]) -> float:
    """Return the CPU time of this process for one act, in milliseconds."""
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1_000


def main() -> None:
    """Measure, and print medians and statements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    arguments = parser.parse_args()
    with run_emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        emulator.set_up(base_url=BASE_URL)
        address = f"sqlite:///{Path(folder) / 'shop.db'}"
        app = create_app(
            {**SETTINGS, **emulator.settings(BASE_URL), "SQLALCHEMY_DATABASE_URI": address}
        )
        clients: dict[str, FlaskClient] = {
            "the shop's own login": app.test_client(),
            "LINE": app.test_client(),
        }
        sign_up(clients["LINE"], emulator.browser(emulator.add_user("佐藤 さくら")))
        clients["the shop's own login"].post("/password-login/1")
        asked = {name: 0 for name in clients}
        spent: dict[str, list[float]] = {name: [] for name in clients}
        current = [""]

        def count(*_arguments: Any) -> None:
            asked[current[0]] += 1

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", count)
        for number in range(-WARM_UP, arguments.requests):
            for name, client in clients.items():
                current[0] = name
                took = time_of(partial(client.get, "/name"))
                if number >= 0:
                    spent[name].append(took)
    total = arguments.requests + WARM_UP
    for name, times in spent.items():
        queries = asked[name] / total
        print(f"{name:24}{statistics.median(times):8.3f} ms{queries:8.2f} statements")


if __name__ == "__main__":
    main()
