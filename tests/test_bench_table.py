"""``make bench``: what the benchmarks print is read, and a missed target is marked."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[1] / "bench"

#: As the benchmarks printed it on some machine.
PRINTED = {
    "startup": (
        "                                    clock         CPU       peak  beside alone\n"
        "start\n"
        "  alone                            337 ms      330 ms    58.1 MB\n"
        "  joined                           441 ms      425 ms    73.0 MB adds  0.31 x  0.29 x"
        "  14.9 MB\n"
        "flask --help\n"
        "  alone                            337 ms      330 ms\n"
        "  joined                           341 ms      335 ms adds  0.01 x  0.02 x\n"
    ),
    "login": (
        "bare Authlib, login                 5.10              1.00           2\n"
        "flask-lineconnect, login            6.12              1.20           2\n"
        "flask-lineconnect, auto-login       6.63              1.30           2\n"
    ),
    "webhook": (
        "     1  sdk              1,655       1,655        1.00         -\n"
        "     1  extension        1,433       1,433        0.87     7,165\n"
        "   100  extension          745      74,500        8.76   372,500\n"
    ),
    "answers": (
        "rate    50 ms  sdk           76.1 answers/s   1.00 of the SDK's   waits: median\n"
        "rate    50 ms  extension    650.2 answers/s   8.54 of the SDK's   waits: median"
        "     400.0 ms, p99   1,034.0 ms   processor: 1.10 ms each\n"
        "rate     0 ms  extension    700.2 answers/s   1.24 of the SDK's   waits: median"
        "     400.0 ms, p99   1,034.0 ms   processor: 1.10 ms each\n"
        "wait    50 ms  extension    100.0 answers/s   1.00 of the SDK's   waits: median"
        "      11.3 ms, p99      45.0 ms   processor: 1.10 ms each\n"
    ),
    "delivery": (
        "push             20,000     1,917    95.9%    49%   137 MB  20,000 recipients\n"
        "              100.0 times the SDK's loop, 6.4 times its 16 threads\n"
        "push             20,000     1,940    97.0%    49%   137 MB  20,000 recipients\n"
        "              100.0 times the SDK's loop, 6.5 times its 16 threads\n"
    ),
    "campaign": "   100,000     1.21      1.21    89%   121 MB  100,000 recipients, 0 twice\n",
    "emulator": (
        "push       nginx           150,481        150,481     1.000\n"
        "push       sink             17,301         17,301     0.115\n"
        "multicast  sink              3,352      1,676,495     0.047\n"
    ),
    "liff": (
        "starter, cold                       1870           1.000              41.6        14\n"
        "ours, cold                          1201           0.642   0.800      67.4        16\n"
        "ours, warm                           324           0.222   0.333       9.7        14\n"
    ),
    "hanging": "of quiet                        1.02      1.24   (at most 2)\n",
    "console": (
        "2,000 members; milliseconds, median of 3\n"
        "page                                  page    bare  ratio  statements\n"
        "/                                       88      32    2.7          12\n"
        "people, searched                        74      20    3.6           5\n"
    ),
    "segments": (
        "segment                people  count ms  by hand  ratio   list ms  by hand  ratio\n"
        "bought_once            10,290      41.2     40.1   1.03      44.0     40.0   1.10\n"
        "cart_left                 290       2.2      1.1   2.00       2.2      1.0   2.20\n"
        "together               10,580      43.4     41.2   1.05      46.2     41.0   1.13\n"
        "emit 57 µs, bare INSERT 31 µs, ratio 1.84\nemit 57 µs, add and flush 60 µs, ratio 0.95\n"
    ),
    "latency": (
        "4000 events in 20.0 s, 200 a second\n"
        "event to outbox: p50 0.021 s, p95 0.035 s, p99 0.047 s, longest 0.092 s\n"
        "event to accepted: p50 0.051 s, p95 0.075 s, p99 0.097 s, longest 0.192 s\n"
    ),
    "steps": '{\n  "steps": 100000,\n  "steps a second": 2410,\n  "memory at most, MB": 121\n}\n',
    "clicks": (
        "shop        answers/s   cost  answered   stored\n"
        "bare            1,905   1.00    19,061   19,061\n"
        "shared          1,604   1.19    16,040   16,040\n"
        "personal        1,550   1.23    15,510   15,510\n"
    ),
    "attribution": (
        "sqlite: ours 2.01 s for {'direct': 9}\nsqlite: 0.91 times\n"
        "sqlite: a campaign's figures in 3.1 ms\npostgresql: 1.11 times\n"
        "postgresql: a campaign's figures in 4.0 ms\n"
    ),
    "personal": "  100,000    1.20     55.1      1.10   80%    121 MB  100,000 recipients\n",
    "upkeep": (
        "                                                 now\n"
        "anything due? (ms)                             0.512\n"
        "webhooks beside upkeep, p99 (ms)               9.120\n"
        "webhooks p99, beside upkeep / alone            1.310\n"
    ),
}
#: The figures of each, in the order of its rows.
FIGURES = {
    "startup": [0.29, 14.9],
    "login": [1.2, 1.3],
    "webhook": [0.87, 8.76],
    "answers": [8.54, 1.24, 11.3, 45.0],
    "delivery": [95.9, 6.4],
    "campaign": [1.21, 121],
    "emulator": [17_301, 1_676_495],
    "liff": [0.642, 0.222],
    "hanging": [1.02, 1.24],
    "console": [88, 12, 3.6],
    "segments": [1.05, 1.13, 1.84, 0.95],
    "latency": [0.051, 0.097],
    "steps": [2410, 121],
    "clicks": [1.23, 1550],
    "attribution": [1.11, 4.0],
    "personal": [1.1, 121],
    "upkeep": [0.512, 1.31],
}


@pytest.fixture(scope="module")
def run() -> Iterator[ModuleType]:
    """Return ``bench/run.py``, which is in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCH)
        yield _load()


def _load() -> ModuleType:
    spec = spec_from_file_location("bench_run", BENCH / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_each_figure_is_read(run: ModuleType) -> None:
    benches = {bench.name: bench for bench in run.BENCHES}
    assert set(benches) == set(PRINTED) == set(FIGURES)
    for name, bench in benches.items():
        assert (BENCH / bench.script[0]).is_file()
        assert [row.read(PRINTED[name]) for row in bench.rows] == FIGURES[name], name
        assert all(row.target > 0 and row.peer for row in bench.rows)


def _bench(run: ModuleType, tmp_path: Path, code: str, **more: Any) -> list[Any]:
    script = tmp_path / "one.py"
    script.write_text(code, "utf-8")
    row = run.Row("speed", r"^speed ([\d.]+)", "x", "another", "at least", 2)
    bench = run.Bench("one", (str(script),), (row,), **more)
    return list(run.measure(bench, is_quick=False, say=False))


def test_a_missed_target_is_marked(run: ModuleType, tmp_path: Path) -> None:
    (met,) = _bench(run, tmp_path, "print('speed 2.5')")
    # Of two rounds the worse one counts.
    (missed,) = _bench(run, tmp_path, "print('speed 2.5\\nspeed 1.5')")
    assert [met.is_met, missed.is_met, missed.figure] == [True, False, 1.5]
    rows = run.table([met, missed], is_coloured=True)
    assert rows[2] == "| one | speed | another | 2.5 x | ≥ 2 x | met |"
    assert rows[3] == "\033[31m| one | speed | another | 1.5 x | ≥ 2 x | **MISSED** |\033[0m"


def test_what_can_not_be_measured_is_missed_and_says_why(run: ModuleType, tmp_path: Path) -> None:
    (silent,) = _bench(run, tmp_path, "print('nothing')")
    (failed,) = _bench(run, tmp_path, "print('speed 3'); raise SystemExit('pages were lost')")
    (bare,) = _bench(run, tmp_path, "print('speed 3')", programs=("no-such-program",))
    assert [silent.is_met, failed.is_met, bare.is_met] == [False, False, False]
    said = "\n".join(run.table([silent, failed, bare]))
    assert "it did not print this figure" in said
    assert "3 x, ended with 1: pages were lost" in said
    assert "needs no-such-program" in said


def test_what_is_not_measured_here_says_where_it_is(run: ModuleType) -> None:
    assert len(run.ELSEWHERE) > 5
    for one in run.ELSEWHERE:
        files = re.findall(r"(?:bench|tests)/[\w/]+\.py", one.how)
        assert files, one.what
        assert [file for file in files if not (BENCH.parent / file).is_file()] == []
    assert all(one.target in "\n".join(run.elsewhere()) for one in run.ELSEWHERE)


def test_the_machine_is_described(run: ModuleType) -> None:
    described = "\n".join(run.machine())
    assert "Python 3." in described
    assert "flask 3." in described
