"""How long personalised messages of a campaign take, from the button to the last accepted.

``pip install -e '.[bench,sink]' && python bench/results/send.py --members 100000``. Each member
gets another text, with a tracked link of their own. LINE is the emulator's sink, with LINE's own
rate limits and answers after 50 ms: 2,000 pushes a second are its floor. One worker process, in
which the engine's threads write and send at the same time, as ``flask line worker`` does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "delivery")]

#: Seconds between two looks whether all are accepted.
LOOK_EVERY = 0.1


def work(database: str, url: str, tracked: str) -> None:
    """Press the button in a worker's own process, and say what it took."""
    # Of bench/delivery, found by the path above, as are the others below.
    from shop import create_app
    from shop import db
    from shop import line

    from flask_lineconnect import LineBlueprint
    from flask_lineconnect.engines.embedded import ThreadEngine
    from flask_lineconnect.engines.work import settle
    from flask_lineconnect.models import Campaign
    from tests.small_shop import User

    app = create_app(database, url)
    known = LineBlueprint("bench", __name__)
    known.attribute("number", User.id, label="番号")
    app.register_blueprint(known)
    state: Any = app.extensions["lineconnect"]
    settle(state)
    engine = ThreadEngine()
    state.engine = engine
    engine.ensure_running(state)
    message = {
        "text": "{{ number }}番のお客様へ。秋の新茶が入りました。",
        "button": {"label": "見る", "url": "https://shop.example/teas"},
    }
    began, cpu = time.perf_counter(), time.process_time()
    with app.app_context():
        line.campaigns.plan("autumn", label="秋", to="linked", message=message, tracked=tracked)
        line.campaigns.begin("autumn")
        db.session.commit()
        frozen = time.perf_counter() - began
        while db.session.query(Campaign.state).filter_by(key="autumn").scalar() != "finished":
            db.session.rollback()
            time.sleep(LOOK_EVERY)
    taken = {
        "frozen": frozen,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(taken), flush=True)
    state.stopping.set()


def measure(options: argparse.Namespace, stack: ExitStack) -> None:
    """Measure one campaign for each round."""
    from run import PUSHES
    from run import counts
    from run import make_database
    from run import platform
    from run import told
    from shop import create_app
    from shop import fill

    url = stack.enter_context(platform(options.answer_after))
    floor = options.members / PUSHES
    heading = f"{'members':>9}{'begun':>8}{'seconds':>9}{'of floor':>10}{'cpu':>6}{'memory':>10}"
    print(f"{heading}  platform")
    for _round in range(options.rounds):
        database = make_database(options.database, stack)
        app = create_app(database, url)
        fill(app, options.members)
        call = [sys.executable, __file__, "--work", database, url, options.tracked]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
        taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{options.members:9,}{taken['frozen']:8.2f}{taken['seconds']:9.1f}"
            f"{taken['seconds'] / floor:10.2f}{taken['cpu_seconds'] / taken['seconds']:6.0%}"
            f"{taken['memory_mb']:7,.0f} MB  {told(counts(url), 'push', options.members)}"
        )


def main() -> None:
    """Measure, or be the worker that is measured."""
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--tracked", choices=["no", "shared", "personal"], default="personal")
    parser.add_argument("--answer-after", type=int, default=50, help="milliseconds")
    options = parser.parse_args()
    with ExitStack() as stack:
        measure(options, stack)


if __name__ == "__main__":
    main()
