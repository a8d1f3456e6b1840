"""The commands that need no app run in any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flask_lineconnect.config import settings_reference

ROOT = Path(__file__).parents[1]


def _flask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "line", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_settings_are_printed_without_an_app(tmp_path: Path) -> None:
    assert _flask(tmp_path, "settings").stdout == settings_reference()


def test_the_emulator_takes_its_own_options(tmp_path: Path) -> None:
    answer = _flask(tmp_path, "emulator", "--help")
    assert answer.returncode == 0
    assert "--base-url" in answer.stdout


def test_the_emulator_is_never_exposed_by_accident(tmp_path: Path) -> None:
    answer = _flask(tmp_path, "emulator", "--host", "0.0.0.0")
    assert answer.returncode == 1
    assert "must never be exposed" in answer.stderr


def test_setup_without_settings_names_them() -> None:
    command = [sys.executable, "-m", "flask", "--app", "demo_shop", "line", "setup"]
    environment = {**os.environ, "FLASK_SECRET_KEY": "a secret key for tests only"}
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "LINECONNECT_LOGIN_CHANNEL_ID is missing" in answer.stderr
