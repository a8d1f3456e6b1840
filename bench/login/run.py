"""What a login costs: server CPU time and redirects, beside a bare Authlib client and Flask-Dance.

``pip install -e '.[bench]' && python bench/login/run.py``. LINE is the emulator, in a process of
its own; only the shop's own answers are timed, by the CPU time of their process. The three take
turns, login by login. All of them keep members in SQLite and log in with Flask-Login; the peers do
what their documentation shows, and nothing of linking, friendship, tokens or limits.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from shops import authlib_shop
from shops import dance_shop
from shops import line_shop

from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.testing.emulator import run_emulator

BASE_URL = "http://127.0.0.1:5999"
IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)
BASELINE = "bare Authlib"
USERS = 20


@dataclass
class Costs:
    """What one kind of login cost, login by login."""

    milliseconds: list[float] = field(default_factory=list)
    redirects: int = 0


def time_of(act: Callable[[], object]) -> float:
    """Return the CPU time of this process for one act, in milliseconds."""
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1_000


def log_in(client: FlaskClient, emulator: Emulator, user_id: str, path: str, costs: Costs) -> None:
    """Go from a page to LINE and back to a page; only the shop's answers are timed."""
    answers = []

    def ask(address: str) -> None:
        headers = {"User-Agent": IN_APP}
        answers.append(client.get(address, base_url=BASE_URL, headers=headers))

    def ask_through_the_shop(address: str) -> float:
        spent = time_of(lambda: ask(address))
        while answers[-1].status_code == 302 and answers[-1].location.startswith("/"):
            spent += time_of(lambda: ask(answers[-1].location))
        return spent

    spent = ask_through_the_shop(path)
    callback = emulator.browser(user_id).log_in(answers[-1].location)
    spent += ask_through_the_shop(callback)
    if answers[-1].status_code != 200 or answers[-1].text != "private":
        raise SystemExit(f"{path} led to {answers[-1].status}: {answers[-1].text[:500]}")
    costs.milliseconds.append(spent)
    costs.redirects = sum(answer.status_code == 302 for answer in answers)


#: How each shop is made, and where its button for logging in leads.
SHOPS = {
    BASELINE: (authlib_shop, "/login"),
    "Flask-Dance": (dance_shop, "/line/login"),
    "flask-lineconnect": (line_shop, "/line/login?next=/private"),
}


def shops(emulator: Emulator, user_ids: list[str], folder: Path) -> Iterator[tuple[str, Flask]]:
    """Make the shops, each with a database of its own."""
    settings = emulator.settings(BASE_URL)
    for name, (make, _path) in SHOPS.items():
        yield name, make(settings, f"sqlite:///{folder / make.__name__}.db", user_ids)


def measure(count: int) -> dict[tuple[str, str], Costs]:
    """Let each shop log members in so many times, in turns."""
    costs: dict[tuple[str, str], Costs] = {}
    with run_emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        emulator.set_up(base_url=BASE_URL)
        user_ids = [emulator.add_user("佐藤 さくら") for _user in range(USERS)]
        apps = dict(shops(emulator, user_ids, Path(folder)))
        for number in range(-USERS, count):
            for name, app in apps.items():
                for kind, path in (("login", SHOPS[name][1]), ("auto-login", "/private")):
                    # The first logins warm up what is loaded late.
                    kept = costs.setdefault((name, kind), Costs()) if number >= 0 else Costs()
                    user_id = user_ids[number % USERS]
                    log_in(app.test_client(), emulator, user_id, path, kept)
    return costs


def main() -> None:
    """Measure, and print medians and their ratios to the bare client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=100, help="logins of each kind and shop")
    arguments = parser.parse_args()
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    costs = measure(arguments.logins)
    print(f"{'':24}{'CPU ms, median':>16}{'of bare Authlib':>18}{'redirects':>12}")
    for (name, kind), cost in costs.items():
        median = statistics.median(cost.milliseconds)
        ratio = median / statistics.median(costs[BASELINE, kind].milliseconds)
        print(f"{name + ', ' + kind:34}{median:6.2f}{ratio:18.2f}{cost.redirects:12}")


if __name__ == "__main__":
    main()
