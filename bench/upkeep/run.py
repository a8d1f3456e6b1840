"""How long upkeep takes with millions of messages, and what webhooks beside it notice.

``pip install -e '.[bench]' && python bench/upkeep/run.py --before FOLDER``, with a checkout of an
earlier version in that folder to measure both in one run. SQLite; each version has a database of
its own with the same rows: messages of the last month, one in a hundred older and due to go,
messages scheduled for later, and campaigns that ended three years ago.

The earlier version reads all messages for each old campaign; ``--before-campaigns`` gives it fewer
of them than ``--campaigns``, where there is no time to wait for all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: Webhooks a second beside the upkeep.
RATE = 50


def main() -> None:
    """Measure both versions in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--campaigns", type=int, default=2_000)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--before-campaigns", type=int)
    parser.add_argument("--scheduled", type=int, default=500_000)
    options = parser.parse_args()
    versions = {"now": (ROOT, options.campaigns)}
    if options.before:
        campaigns = options.before_campaigns or options.campaigns
        versions = {"before": (options.before.resolve(), campaigns), **versions}
    found = {}
    for name, (folder, campaigns) in versions.items():
        with tempfile.TemporaryDirectory() as place:
            found[name] = _measure(Path(place) / "shop.db", folder, campaigns, options)
    print(f"{'':38}" + "".join(f"{name:>14}" for name in found))
    for row in next(iter(found.values())):
        print(f"{row:38}" + "".join(f"{result[row]:14,.3f}" for result in found.values()))


def _measure(
    database: Path, folder: Path, campaigns: int, options: argparse.Namespace
) -> dict[str, float]:
    command = [sys.executable, str(HERE / "steps.py"), str(database)]

    def run(*arguments: str) -> dict[str, float]:
        done = subprocess.run(
            [*command, *arguments],
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return {str(name): float(value) for name, value in json.loads(done.stdout).items()}

    run("fill", str(options.messages), str(campaigns), str(options.scheduled))
    found = {"anything due? (ms)": run("due")["milliseconds"]}
    alone = _webhooks(database, folder, seconds=10)
    upkeep = subprocess.Popen(
        [sys.executable, str(HERE / "steps.py"), str(database), "upkeep"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    beside = _webhooks(database, folder, seconds=20)
    said, _nothing = upkeep.communicate()
    found["old campaigns"] = campaigns
    found["upkeep, first 20 s with webhooks (s)"] = float(json.loads(said)["seconds"])
    for name, (times, failed) in (("alone", alone), ("beside upkeep", beside)):
        found[f"webhooks {name}, 503"] = failed
        found[f"webhooks {name}, p50 (ms)"] = statistics.median(times)
        found[f"webhooks {name}, p99 (ms)"] = statistics.quantiles(times, n=100)[98]
        found[f"webhooks {name}, slowest (ms)"] = max(times)
    slower, quicker = (found[f"webhooks {name}, p99 (ms)"] for name in ("beside upkeep", "alone"))
    found["webhooks p99, beside upkeep / alone"] = slower / quicker
    return found


def _webhooks(database: Path, folder: Path, *, seconds: int) -> tuple[list[float], int]:
    """Return how long each webhook took, in milliseconds, and how many were answered with 503."""
    done = subprocess.run(
        [
            sys.executable,
            str(HERE / "steps.py"),
            str(database),
            "webhooks",
            str(seconds),
            str(RATE),
        ],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    return [float(one) for one in found["times"]], int(found["failed"])


if __name__ == "__main__":
    main()
