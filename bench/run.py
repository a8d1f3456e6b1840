"""All benchmarks beside their peers, as one table: ``make bench``.

Each runs in processes of its own, one after the other, with its peer in the same run. What it
prints is read; each row names its target and is marked where that is missed, and the run ends with
1 then. A benchmark that lacks a program, or that fails, says so, costs no other row and counts as
missed.

``--quick`` has fewer rounds and shows little more than that all of it runs; ``--only webhook`` is
one; ``--to FILE`` also writes the table as Markdown. The figures are this machine's: compare
ratios, not times, with those of others, and let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
ROOT = HERE.parent
#: Seconds after which a benchmark is given up.
PATIENCE = 3_600
#: Packages whose versions the figures depend on.
PACKAGES = ("flask", "sqlalchemy", "line-bot-sdk", "gunicorn", "psycopg")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    :ivar pattern: finds it in what the benchmark prints; of several the worst counts.
    :ivar peer: beside what it was measured.
    :ivar target: which the figure must reach (``at least``) or not exceed (``at most``).
    """

    what: str
    pattern: str
    unit: str
    peer: str
    is_good: Literal["at least", "at most"]
    target: float

    def read(self, printed: str) -> float | None:
        """Return the figure; ``None``: it was not printed."""
        found = re.findall(self.pattern, printed, re.MULTILINE)
        figures = [float(one.replace(",", "")) for one in found]
        if not figures:
            return None
        return min(figures) if self.is_good == "at least" else max(figures)

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure is as good as it must be."""
        return figure >= self.target if self.is_good == "at least" else figure <= self.target


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark.

    :ivar script: relative to this folder, with its arguments.
    :ivar quick: more arguments, for a short run.
    :ivar programs: without which it does not run.
    """

    name: str
    script: tuple[str, ...]
    rows: tuple[Row, ...]
    quick: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


def _ratio(what: str, pattern: str, peer: str, is_good: str, target: float) -> Row:
    kind: Literal["at least", "at most"] = "at least" if is_good == ">=" else "at most"
    return Row(what, pattern, "x", peer, kind, target)


SDK = "LINE's SDK"
BENCHES = (
    Bench(
        "startup",
        ("startup/run.py",),
        (
            _ratio(
                "a start: the processor's time that joining adds",
                r"^start\n.*\n  joined .*adds +[\d.]+ x +([\d.]+) x",
                "Flask and its extensions alone",
                "<=",
                0.4,
            ),
            Row(
                "a start: memory that joining adds",
                r"^start\n.*\n  joined .*adds .* x +([\d.]+) MB$",
                "MB",
                "Flask and its extensions alone",
                "at most",
                20,
            ),
        ),
        ("--turns", "3"),
    ),
    Bench(
        "login",
        ("login/run.py",),
        (
            _ratio(
                "a login: the processor's time",
                r"^flask-lineconnect, login +[\d.]+ +([\d.]+)",
                "bare Authlib",
                "<=",
                1.3,
            ),
            _ratio(
                "an auto-login: the processor's time",
                r"^flask-lineconnect, auto-login +[\d.]+ +([\d.]+)",
                "bare Authlib",
                "<=",
                1.3,
            ),
        ),
        ("--logins", "20"),
    ),
    Bench(
        "webhook",
        ("webhook/run.py",),
        (
            _ratio(
                "webhooks of one event, stored durably and once",
                r"^ +1  extension +[\d,]+ +[\d,]+ +([\d.]+)",
                SDK,
                ">=",
                0.9,
            ),
            _ratio(
                "webhooks of a hundred events, stored durably and once",
                r"^ +100  extension +[\d,]+ +[\d,]+ +([\d.]+)",
                SDK,
                ">=",
                8,
            ),
        ),
        ("--rounds", "1", "--seconds", "2"),
        ("wrk",),
    ),
    Bench(
        "answers",
        ("answers/run.py",),
        (
            _ratio(
                "answers a second, where LINE takes 50 ms",
                r"^rate +50 ms  extension .*?([\d.]+) of the SDK's",
                SDK,
                ">=",
                8,
            ),
            _ratio(
                "answers a second, where LINE takes no time",
                r"^rate +0 ms  extension .*?([\d.]+) of the SDK's",
                SDK,
                ">=",
                1,
            ),
            Row(
                "a text's wait for its reply to be requested, median",
                r"^wait +50 ms  extension .*median +([\d,.]+) ms",
                "ms",
                SDK,
                "at most",
                20,
            ),
            Row(
                "a text's wait, the slowest of a hundred",
                r"^wait +50 ms  extension .*p99 +([\d,.]+) ms",
                "ms",
                SDK,
                "at most",
                100,
            ),
        ),
        ("rate", "wait", "--rounds", "1", "--messages", "500", "--seconds", "5"),
    ),
    Bench(
        "delivery",
        ("delivery/run.py", "push"),
        (
            Row(
                "personalised pushes: of LINE's 2,000 a second",
                r"^push +[\d,]+ +[\d,]+ +([\d.]+)%",
                "%",
                "LINE's limit",
                "at least",
                95,
            ),
            _ratio(
                "personalised pushes",
                r"SDK's loop, ([\d.]+) times its 16 threads",
                f"16 threads of {SDK}",
                ">=",
                1,
            ),
        ),
        ("--rounds", "1", "--messages", "2000"),
    ),
    Bench(
        "campaign",
        ("delivery/run.py", "campaign"),
        (
            _ratio(
                "a campaign to 100,000, press to last accepted recipient",
                r"^ *[\d,]+ +[\d.]+ +([\d.]+) +\d+%",
                "LINE's 200 multicasts a second",
                "<=",
                1.5,
            ),
        ),
        ("--rounds", "1", "--members", "20000"),
    ),
    Bench(
        "emulator",
        ("emulator/run.py",),
        (
            Row(
                "pushes a second that the emulator's sink takes on one core",
                r"^push +sink +([\d,]+)",
                "/s",
                "nginx",
                "at least",
                3_000,
            ),
            Row(
                "recipients of multicasts a second that it takes",
                r"^multicast +sink +[\d,]+ +([\d,]+)",
                "/s",
                "nginx",
                "at least",
                100_000,
            ),
        ),
        ("--rounds", "1", "--seconds", "2"),
        ("nginx", "wrk", "taskset"),
    ),
    Bench(
        "liff",
        ("liff/run.py",),
        (
            _ratio(
                "from the tap to the barcode, cold",
                r"^ours, cold +\d+ +([\d.]+)",
                "a page like LINE's starter",
                "<=",
                0.8,
            ),
            _ratio(
                "from the tap to the barcode, warm",
                r"^ours, warm +\d+ +([\d.]+)",
                "a page like LINE's starter",
                "<=",
                0.333,
            ),
        ),
        ("--rounds", "2"),
    ),
    Bench(
        "hanging",
        ("login/hanging.py",),
        (
            _ratio(
                "a visitor's wait while LINE hangs, median",
                r"^of quiet +([\d.]+)",
                "the same shop while LINE answers",
                "<=",
                2,
            ),
            _ratio(
                "a visitor's wait while LINE hangs, slowest twentieth",
                r"^of quiet +[\d.]+ +([\d.]+)",
                "the same shop while LINE answers",
                "<=",
                2,
            ),
        ),
        ("--turns", "1", "--seconds", "8"),
    ),
    Bench(
        "console",
        ("console/run.py",),
        (
            Row(
                "a page of the console, the slowest",
                r"^\S.*? +([\d,]+) +[\d,]+ +[\d.]+ +\d+$",
                "ms",
                "its statements alone",
                "at most",
                300,
            ),
            Row(
                "statements of a page of the console, the most",
                r"^\S.*? +[\d,]+ +[\d,]+ +[\d.]+ +(\d+)$",
                "",
                "its statements alone",
                "at most",
                12,
            ),
        ),
        ("--members", "2000", "--rounds", "3"),
    ),
    Bench(
        "segments",
        ("marketing/run.py", "--explain-to", os.devnull),
        (
            _ratio(
                "an event told in the shop's transaction",
                r"add and flush [\d,]+ µs, ratio ([\d.]+)",
                "add and flush of the ORM",
                "<=",
                1.3,
            ),
        ),
        ("--members", "2000", "--orders", "10000", "--events", "20000", "--turns", "1"),
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table that was measured, or why it was not."""

    bench: str
    row: Row
    figure: float | None
    reason: str

    @property
    def is_met(self) -> bool:
        """Whether it is as good as it must be."""
        return self.figure is not None and not self.reason and self.row.is_met(self.figure)


def measure(bench: Bench, *, is_quick: bool, say: bool = True) -> Iterator[Line]:
    """Run one benchmark, and read its rows."""
    if missing := [name for name in bench.programs if shutil.which(name) is None]:
        yield from (
            Line(bench.name, row, None, f"needs {', '.join(missing)}") for row in bench.rows
        )
        return
    script, *arguments = bench.script
    command = [sys.executable, str(HERE / script), *arguments, *(bench.quick if is_quick else ())]
    began = time.monotonic()
    printed, reason = _run(command)
    if say:
        seconds = time.monotonic() - began
        print(f"== {bench.name} ({seconds:.0f} s)\n{printed}", file=sys.stderr, flush=True)
    figures = [(row, row.read(printed)) for row in bench.rows]
    # Some end with an error where one of their figures is bad; where none is, something else was.
    is_bad = any(figure is not None and not row.is_met(figure) for row, figure in figures)
    for row, figure in figures:
        why = "" if is_bad and figure is not None else reason
        if figure is None:
            why = why or "it did not print this figure"
        yield Line(bench.name, row, figure, why)


def _run(command: Sequence[str]) -> tuple[str, str]:
    """Return what a benchmark printed, and what went wrong, if anything did."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or ""
        return str(printed), f"it was not done after {PATIENCE:,} s"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return done.stdout, "" if done.returncode == 0 else f"ended with {done.returncode}: {last}"[
        :160
    ]


def machine() -> list[str]:
    """Describe where the figures come from."""
    try:
        model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
        kilobytes = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text("utf-8"))
    except OSError:
        model = kilobytes = None
    processor = model[1] if model else platform.processor() or platform.machine()
    memory = f", {int(kilobytes[1]) / 1_048_576:.0f} GB" if kilobytes else ""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()} {platform.release()}",
        f"{os.cpu_count()} x {processor}{memory}; load at the begin {load}",
        f"Python {platform.python_version()}, " + ", ".join(map(_package, PACKAGES)),
    ]


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except ModuleNotFoundError:
        return f"{name} missing"


def table(lines: Sequence[Line], *, is_coloured: bool = False) -> list[str]:
    """Return the table as Markdown."""
    rows = ["| benchmark | what | beside | figure | target | |", "|---|---|---|---:|---:|---|"]
    for line in lines:
        row = line.row
        shown = "" if line.figure is None else _written(line.figure, row.unit)
        figure = ", ".join(filter(None, (shown, line.reason)))
        sign = "≥" if row.is_good == "at least" else "≤"
        mark = "met" if line.is_met else "**MISSED**"
        text = (
            f"| {line.bench} | {row.what} | {row.peer} | {figure} | "
            f"{sign} {_written(row.target, row.unit)} | {mark} |"
        )
        rows.append(f"\033[31m{text}\033[0m" if is_coloured and not line.is_met else text)
    return rows


def _written(figure: float, unit: str) -> str:
    number = f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.2f}".rstrip("0").rstrip(".")
    return number + (unit if unit in {"%", "/s"} else f" {unit}")


def main() -> None:
    """Run the benchmarks, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds")
    names = [bench.name for bench in BENCHES]
    parser.add_argument("--only", action="append", choices=names, help="may be given several times")
    parser.add_argument("--to", type=Path, help="a file for the table, too")
    options = parser.parse_args()
    described = machine()
    lines: list[Line] = []
    for bench in BENCHES:
        if options.only is None or bench.name in options.only:
            lines += measure(bench, is_quick=options.quick)
    head = [*described, *(["A quick run: few rounds, large errors."] if options.quick else []), ""]
    print("\n".join([*head, *table(lines, is_coloured=sys.stdout.isatty())]))
    if options.to is not None:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        options.to.write_text("\n".join([*head, *table(lines)]) + "\n", "utf-8")
    if missed := sum(not line.is_met for line in lines):
        sys.exit(f"{missed} of {len(lines)} targets were missed.")


if __name__ == "__main__":
    main()
