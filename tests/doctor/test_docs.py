"""The documentation has a section for each check, in the order in which they are looked at."""

from __future__ import annotations

import re
from pathlib import Path

from flask_lineconnect.doctor.examination import FAMILIES
from flask_lineconnect.doctor.examination import NAMES

from .test_faults_at_line import FAULTS
from .test_serving import CASES

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "doctor.md").read_text("utf-8")
HERE = Path(__file__).parent


def test_each_check_has_a_section() -> None:
    told = re.findall(r"^### ([a-z-]+)$", PAGE, re.MULTILINE)
    assert told == list(NAMES)
    assert len(set(told)) == len(told)


def test_each_check_has_a_planted_fault() -> None:
    planted = {fault.check for fault in FAULTS} | {case.check for case in CASES}
    by_hand = " ".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    assert [one for one in NAMES if one not in planted and f'"{one}"' not in by_hand] == []


def test_what_is_asked_of_line_is_marked() -> None:
    for family in ("login", "webhook", "account"):
        assert all(check.asks for check in FAMILIES[family])
    for family in ("shop", "database", "engines"):
        assert not any(check.asks for check in FAMILIES[family])
