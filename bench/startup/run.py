"""What joining the extension adds to a shop's start, and to every command of ``flask`` in it.

``pip install -e . && python bench/startup/run.py``. Fresh processes in turns: the shop with Flask,
Flask-SQLAlchemy, Flask-Login, Flask-WTF and Flask-Babel alone, and the same joined to LINE;
``--beside`` adds the joined shop of another checkout, for a comparison in one run. Medians; the
CPU's time says more than the clock's where other programs run beside.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ALONE = "alone"
JOINED = "joined"

#: Measures itself: what the interpreter takes for its own start is everybody's.
START = """
import json, resource, sys, time
began, cpu = time.perf_counter(), time.process_time()
import shop
getattr(shop, sys.argv[1])()
print(json.dumps([
    (time.perf_counter() - began) * 1_000,
    (time.process_time() - cpu) * 1_000,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
]))
"""
#: The command `flask`; alone as if the package with our commands were not installed.
COMMAND = """
import sys
from flask.cli import FlaskGroup
kind = sys.argv.pop(1)
if kind == "alone":
    FlaskGroup._load_plugin_commands = lambda self: None
FlaskGroup(name="flask").main(["--app", f"shop:{kind}", *sys.argv[1:]], prog_name="flask")
"""

#: Milliseconds by the clock, milliseconds of the CPU, peak of memory in MB.
Cost = tuple[float, float, float]


def start(kind: str, environment: dict[str, str]) -> Cost:
    """Import and set up the shop in a fresh process."""
    command = [sys.executable, "-c", START, kind]
    answer = subprocess.run(
        command, cwd=HERE, env=environment, check=True, capture_output=True, text=True
    )
    wall, cpu, megabytes = json.loads(answer.stdout)
    return wall, cpu, megabytes


def command(*words: str) -> Callable[[str, dict[str, str]], Cost]:
    """Return what runs a command of ``flask`` in the shop, from its begin to its end."""

    def run(kind: str, environment: dict[str, str]) -> Cost:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        arguments = [sys.executable, "-c", COMMAND, kind, *words]
        subprocess.run(arguments, cwd=HERE, env=environment, check=True, capture_output=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        # The peak of one child among others is not to be had.
        return wall * 1_000, spent * 1_000, 0.0

    return run


ACTS: dict[str, Callable[[str, dict[str, str]], Cost]] = {
    "start": start,
    "flask --help": command("--help"),
    "flask routes": command("routes"),
}


def measure(act: Callable[[str, dict[str, str]], Cost], roots: dict[str, Path], turns: int) -> None:
    """Let each shop have its turn so many times, and print medians."""
    costs: dict[str, list[Cost]] = {}
    for turn in range(-1, turns):
        for name, root in roots.items():
            # Bytecode is written and read as in an installed shop, whatever the caller's settings.
            environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": ""}
            cost = act(ALONE if name == ALONE else JOINED, environment)
            # The first turn writes the bytecode.
            if turn >= 0:
                costs.setdefault(name, []).append(cost)
    alone = [statistics.median(values) for values in zip(*costs[ALONE], strict=True)]
    for name, taken in costs.items():
        medians = [statistics.median(values) for values in zip(*taken, strict=True)]
        texts = [f"{medians[0]:8.0f} ms {medians[1]:8.0f} ms"]
        if alone[2]:
            texts.append(f"{medians[2]:7.1f} MB")
        if name != ALONE:
            added = [one - other for one, other in zip(medians, alone, strict=True)]
            texts.append(f"adds {added[0] / alone[0]:5.2f} x {added[1] / alone[1]:5.2f} x")
            if alone[2]:
                texts.append(f"{added[2]:5.1f} MB")
        print(f"  {name:28}{' '.join(texts)}")


def main() -> None:
    """Measure starts and commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15, help="processes of each kind")
    parser.add_argument("--beside", type=Path, help="another checkout, compared in the same run")
    parser.add_argument("--only", choices=ACTS, help="one of the acts")
    arguments = parser.parse_args()
    roots = {ALONE: ROOT, JOINED: ROOT}
    if arguments.beside is not None:
        roots[f"joined, {arguments.beside.name}"] = arguments.beside.resolve()
    print(f"{'':30}{'clock':>11}{'CPU':>12}{'peak':>11}  beside alone: clock, CPU, peak")
    for name, act in ACTS.items():
        if arguments.only in {None, name}:
            print(name)
            measure(act, roots, arguments.turns)


if __name__ == "__main__":
    main()
