"""LINE's packages of npm, which tests use and nobody may redistribute."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def needs(package: str) -> Path:
    """Return the folder of an npm package; skip the test where it is not installed."""
    folder = FOLDER / "node_modules" / package
    if not folder.is_dir():
        pytest.skip(f"{package} is not installed: npm install --prefix tests/npm --no-package-lock")
    return folder
