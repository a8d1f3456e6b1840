"""The documentation keeps up with the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from blinker import Signal

from flask_lineconnect import signals

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_every_signal_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "signals.md").read_text("utf-8")
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert names
    assert all(f"`{name}`" in page for name in names)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
