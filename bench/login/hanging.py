"""What the shop's visitors feel while LINE hangs: gunicorn with one worker of four threads.

``PYTHONPATH=. python bench/login/hanging.py``. The demo shop logs in by itself on its front page.
One reader opens that page over and over in an ordinary browser; six visitors come in LINE's app
all the time, and go to LINE and back as it sends them. By turns LINE answers and its token endpoint
hangs, so that both are measured under the same load of the machine. ``--press`` lets the visitors
press LINE's button instead.

It fails when the reader waits more than twice as long while LINE hangs, at the median or for the
slowest twentieth, or when a visitor who pressed nothing does not end on the page that was opened.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import requests

from flask_lineconnect.testing.emulator import Emulator
from flask_lineconnect.testing.emulator import run_emulator
from flask_lineconnect.testing.plugin import free_port

IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.9.0"
)
VISITORS = 6
#: Seconds between two visits of one visitor, and between two of the reader.
BETWEEN_VISITS, BETWEEN_READS = 1.0, 0.05
#: LINE's token endpoint answers after so many seconds, longer than anybody waits for it.
HANGS = 30
FACTOR = 2.0


@contextmanager
def shop_at(url: str, emulator: Emulator, folder: Path) -> Iterator[None]:
    """Run the shop until the block ends."""
    settings = {
        **emulator.settings(url),
        "SECRET_KEY": "a secret key for benchmarks",
        "TESTING": True,
        "DATA_FOLDER": str(folder),
        "LINECONNECT_AUTO_LOGIN_BLUEPRINTS": "store",
        "LINECONNECT_RATE_LIMIT": "1000000/minute",
    }
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "4", "-b", url[7:]]
    shop = subprocess.Popen(
        [*command, "--log-level", "warning", "hanging_shop:make_app()"],
        cwd=Path(__file__).parent,
        env={**os.environ, "HANGING_SHOP": json.dumps(settings), "PYTHONPATH": os.getcwd()},
    )
    try:
        _wait_for(url)
        yield
    finally:
        shop.terminate()
        shop.wait()


def _wait_for(url: str) -> None:
    for _try in range(600):
        try:
            requests.get(url, timeout=60)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the shop does not start")


class Street:
    """The reader and the visitors of one shop.

    :ivar waited: seconds that the reader waited, by what LINE does.
    :ivar ended: how visits ended, by what LINE does.
    """

    def __init__(self, url: str, emulator: Emulator, *, presses: bool):
        self._url, self._emulator = url, emulator
        self._first = "/line/login?next=/" if presses else "/"
        self._phase, self._is_over = "warming up", threading.Event()
        self.waited: dict[str, list[float]] = {}
        self.ended: Counter[tuple[str, str]] = Counter()

    def run(self, turns: int, seconds: float) -> None:
        """Let LINE answer and hang by turns."""
        threads = [threading.Thread(target=self._read)]
        users = [self._emulator.add_user("佐藤 さくら") for _visitor in range(VISITORS)]
        threads += [threading.Thread(target=self._visit, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        time.sleep(5)
        for turn in range(turns):
            # The breaker closes, and what hung is over.
            time.sleep(HANGS + 5 if turn else 0)
            self._phase = "LINE answers"
            time.sleep(seconds)
            self._emulator.fault(path="/oauth2/v2.1/token", delay_seconds=HANGS, times=1_000_000)
            self._phase = "LINE hangs"
            time.sleep(seconds)
            self._phase = "in between"
            self._emulator.clear_faults()
        self._is_over.set()
        for thread in threads:
            thread.join()

    def _read(self) -> None:
        while not self._is_over.is_set():
            phase, began = self._phase, time.monotonic()
            requests.get(self._url, timeout=60).raise_for_status()
            self.waited.setdefault(phase, []).append(time.monotonic() - began)
            time.sleep(BETWEEN_READS)

    def _visit(self, user_id: str) -> None:
        while not self._is_over.is_set():
            phase = self._phase
            try:
                how = self._end_of_visit(user_id)
            except requests.RequestException as error:
                how = type(error).__name__
            self.ended[phase, how] += 1
            time.sleep(BETWEEN_VISITS)

    def _end_of_visit(self, user_id: str) -> str:
        phone = requests.Session()
        phone.headers["User-Agent"] = IN_APP
        address = urljoin(self._url, self._first)
        for _step in range(6):
            answer = phone.get(address, allow_redirects=False, timeout=60)
            if not answer.is_redirect:
                return f"{answer.status_code} {answer.url.removeprefix(self._url).split('?')[0]}"
            address = urljoin(answer.url, answer.headers["Location"])
            if not address.startswith(self._url):
                callback = self._emulator.browser(user_id).log_in(address)
                address = urljoin(self._url, callback)
        return "sent around in circles"


def main() -> None:
    """Measure, print, and fail beyond the factor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20, help="of each turn")
    parser.add_argument("--press", action="store_true", help="visitors press LINE's button")
    arguments = parser.parse_args()
    url = f"http://127.0.0.1:{free_port()}"
    with run_emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        emulator.set_up(base_url=url)
        with shop_at(url, emulator, Path(folder)):
            street = Street(url, emulator, presses=arguments.press)
            street.run(arguments.turns, arguments.seconds)
    figures = {}
    print(f"{'milliseconds':16}{'readings':>10}{'median':>10}{'95 %':>10}{'longest':>10}")
    for phase in ("LINE answers", "LINE hangs"):
        waited = sorted(street.waited[phase])
        figures[phase] = statistics.median(waited), waited[int(len(waited) * 0.95)]
        shown = "".join(f"{1_000 * figure:10.1f}" for figure in (*figures[phase], waited[-1]))
        print(f"{phase:16}{len(waited):10}{shown}")
    pairs = zip(figures["LINE hangs"], figures["LINE answers"], strict=True)
    ratios = [hanging / quiet for hanging, quiet in pairs]
    print(f"{'of quiet':26}{ratios[0]:10.2f}{ratios[1]:10.2f}   (at most {FACTOR})")
    for (phase, how), count in sorted(street.ended.items()):
        print(f"  {count:5} visits ended with {how} while {phase}")
    lost = {how for _phase, how in street.ended if how != "200 /"}
    if max(ratios) > FACTOR or (lost and not arguments.press):
        raise SystemExit("too slow, or pages were lost")


if __name__ == "__main__":
    main()
