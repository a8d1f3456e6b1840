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

from targets import BENCHES
from targets import ELSEWHERE
from targets import Bench
from targets import Row

HERE = Path(__file__).parent
ROOT = HERE.parent
#: Seconds after which a benchmark is given up.
PATIENCE = 3_600
#: Packages whose versions the figures depend on.
PACKAGES = ("flask", "sqlalchemy", "line-bot-sdk", "gunicorn", "psycopg")


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


def elsewhere() -> list[str]:
    """Return the table of targets that are not measured here, as Markdown."""
    rows = ["| not measured here | target | how | why not |", "|---|---|---|---|"]
    return rows + [f"| {one.what} | {one.target} | {one.how} | {one.reason} |" for one in ELSEWHERE]


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
    rest = [] if options.only else ["", *elsewhere()]
    print("\n".join([*head, *table(lines, is_coloured=sys.stdout.isatty()), *rest]))
    if options.to is not None:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        options.to.write_text("\n".join([*head, *table(lines), *rest]) + "\n", "utf-8")
    if missed := sum(not line.is_met for line in lines):
        sys.exit(f"{missed} of {len(lines)} targets were missed.")


if __name__ == "__main__":
    main()
