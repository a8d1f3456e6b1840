"""The measurement of segments runs, and its pairs choose the same people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ten_segments_are_measured_beside_sql_by_hand(tmp_path: Path) -> None:
    plans = tmp_path / "plans.txt"
    sizes = ["--members", "300", "--orders", "900", "--events", "1200", "--turns", "1"]
    command = [sys.executable, str(ROOT / "bench/marketing/run.py"), "--database", "sqlite", *sizes]
    done = subprocess.run(
        [*command, "--explain-to", str(plans)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    segments = done.stdout.partition("segment ")[2].splitlines()[1:]
    rows = [row.split()[0] for row in segments if len(row.split()) == 8]
    assert (len(rows), rows[-1]) == (11, "together")
    assert "bare INSERT" in done.stdout
    assert plans.read_text("utf-8").count(": by hand\n") == 10
