"""How fast one, two and four Celery workers send together, on Redis and PostgreSQL.

``pip install -e '.[bench,test]' && python bench/delivery/celery_workers.py``. LINE is the
emulator's sink, with LINE's own rate limits and answers after 50 ms.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from run import PUSHES
from run import counts
from run import make_database
from run import platform
from shop import create_app
from shop import db
from shop import fill
from shop import fill_outbox
from sqlalchemy import text

HERE = Path(__file__).parent
UNSENT = "SELECT count(*) FROM lineconnect_outbox_message WHERE state != 'accepted'"
sys.path.insert(0, str(HERE.parents[1]))


def measure(workers: int, messages: int, url: str, stack: ExitStack) -> None:
    """Let so many workers send so many personalised messages; print how fast they were."""
    from tests.redis_server import running_redis

    database = make_database("postgresql", stack)
    redis = stack.enter_context(running_redis())
    celery = {"LINECONNECT_ENGINE": "celery", "LINECONNECT_CELERY_BROKER": redis}
    app = create_app(database, url, **celery, LINECONNECT_RATE_LIMIT_STORAGE=redis)
    fill(app, messages)
    fill_outbox(app, messages)
    environment = {
        **os.environ,
        "BENCH_DATABASE": database,
        "BENCH_PLATFORM": url,
        "BENCH_REDIS": redis,
    }
    log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
    for number in range(workers):
        stack.enter_context(_celery(environment, log, "worker", "-n", f"{number}@bench", "-c", "2"))
    while log.read_text("utf-8").count(" ready.") < workers:
        time.sleep(0.1)
    began = time.perf_counter()
    stack.enter_context(_celery(environment, log, "beat", "-s", str(log.with_name("schedule"))))
    for _worker in range(workers):
        app.extensions["celery"].tasks["lineconnect.delivery"].apply_async()
    with app.app_context():
        while db.session.scalar(text(UNSENT)):
            db.session.rollback()
            time.sleep(0.1)
        db.session.remove()
        db.engine.dispose()
    rate = messages / (time.perf_counter() - began)
    told = counts(url)
    print(
        f"{workers:>7}{messages:>10,}{rate:>10,.0f}{rate / PUSHES:>9.1%}"
        f"  {told.get('recipients', 0):,} recipients, {told.get('duplicates', 0)} twice, "
        f"{told.get('429', 0)} refused for rate"
    )


def _celery(environment: dict[str, str], log: Path, *arguments: str) -> ExitStack:
    """Start one of Celery's programs, which ends with the stack."""
    command = [sys.executable, "-m", "celery", "-A", "celery_shop", *arguments, "-l", "INFO"]
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=HERE, env=environment, stdout=file, stderr=file)
    ended = ExitStack()
    ended.callback(process.wait, 60)
    ended.callback(process.terminate)
    return ended


def main() -> None:
    """Measure each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--answer-after", type=int, default=50, help="milliseconds")
    options = parser.parse_args()
    print(f"{'workers':>7}{'pushes':>10}{'pushes/s':>10}{'of LINE':>9}  platform")
    for workers in options.workers:
        with ExitStack() as stack:
            url = stack.enter_context(platform(options.answer_after))
            measure(workers, options.messages, url, stack)


if __name__ == "__main__":
    main()
