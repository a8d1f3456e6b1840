"""One worker process of the benchmark: does its part and prints what it took, as JSON.

``worker.py push|campaign|sdk|sdk-threads DATABASE PLATFORM COUNT``
"""

from __future__ import annotations

import json
import resource
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests
from shop import create_app
from shop import line

TEXT = "秋の新茶が入りました。お店でお待ちしています。"


def push(database: str, platform: str, _count: int) -> Callable[[], object]:
    """Send what is in the outbox."""
    from flask_lineconnect.engines.work import settle
    from flask_lineconnect.outbox.delivery import deliver_due

    app = create_app(database, platform)
    state = app.extensions["lineconnect"]
    settle(state)
    return lambda: deliver_due(state)


def campaign(database: str, platform: str, _count: int) -> Callable[[], object]:
    """Press the button, and send."""
    deliver = push(database, platform, 0)
    app = create_app(database, platform)

    def press() -> None:
        with app.app_context():
            begun = line.begin_campaign("autumn", TEXT)
            from shop import db

            db.session.commit()
            print(f"{begun.recipients} recipients", file=sys.stderr)
        deliver()

    return press


def sdk(_database: str, platform: str, count: int) -> Callable[[], object]:
    """Push with the official SDK in a loop, as its README shows."""
    send = _sdk_push(platform)
    return lambda: [send(number) for number in range(1, count + 1)]


def sdk_threads(_database: str, platform: str, count: int) -> Callable[[], object]:
    """Push with the official SDK in 16 threads."""
    send = _sdk_push(platform)

    def run() -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(send, range(1, count + 1)))

    return run


def _sdk_push(platform: str) -> Callable[[int], object]:
    from linebot.v3 import messaging

    token = requests.post(f"{platform}/oauth2/v3/token", timeout=10).json()["access_token"]
    configuration = messaging.Configuration(host=platform, access_token=token)
    # Its pool keeps as many connections as the machine has cores times five.
    api = messaging.MessagingApi(messaging.ApiClient(configuration))

    def send(number: int) -> object:
        message = messaging.TextMessage(
            text=f"ご注文 {number} を発送しました", quickReply=None, quoteToken=None
        )
        request = messaging.PushMessageRequest(
            to=f"U{number:032x}",
            messages=[message],
            notificationDisabled=False,
            customAggregationUnits=None,
        )
        return api.push_message(request, x_line_retry_key=str(uuid.uuid4()))

    return send


def main() -> None:
    """Get ready, run, and report."""
    kind, database, platform, count = sys.argv[1:]
    jobs = {"push": push, "campaign": campaign, "sdk": sdk, "sdk-threads": sdk_threads}
    job = jobs[kind](database, platform, int(count))
    began, cpu = time.perf_counter(), time.process_time()
    job()
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu_seconds": time.process_time() - cpu,
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
