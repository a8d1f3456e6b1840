"""The documentation keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blinker import Signal

from flask_lineconnect import signals

ROOT = Path(__file__).parents[1]
AT_THE_ROOT = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_every_signal_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "signals.md").read_text("utf-8")
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert names
    assert all(f"`{name}`" in page for name in names)


def test_the_architecture_names_files_that_exist() -> None:
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:flask_lineconnect|liff|tests)/[\w./]+)`", page)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
    packages = {path.parent.name for path in (ROOT / "flask_lineconnect").glob("*/__init__.py")}
    assert [name for name in sorted(packages) if f"{name}/" not in page] == []


@pytest.mark.parametrize("page", [*PAGES, *AT_THE_ROOT], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
