"""An empty folder, as whoever sets a shop up has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty folder in which the commands run, with no settings around."""
    monkeypatch.chdir(tmp_path)
    # The command leaves settings in the environment, for the app that it loads.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in list(os.environ):
        if name.startswith("FLASK_"):
            monkeypatch.delenv(name)
    return tmp_path
