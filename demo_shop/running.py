"""The demo as it runs: one on each folder of data, and its settings for commands beside it.

The system ends the lock with the process that holds it, however that ends; so the settings are
believed only while somebody holds the lock.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import Any

LOCK, SETTINGS = "demo.lock", "demo.json"
#: What a command needs to speak with the same database and the same LINE.
SHARED = {"DEBUG", "SECRET_KEY", "SQLALCHEMY_DATABASE_URI", "PICTURES_FOLDER"}
SIMPLE = (str, int, float, bool)
#: Seconds that a demo waits for the lock: a command beside it holds it for a blink.
PATIENCE = 1.0


class AlreadyRuns(Exception):
    """Another demo uses the same data; the text says where it is, and what to do."""

    def __init__(self, data: Path):
        address = _read_settings(data).get("LINECONNECT_BASE_URL")
        where = f"runs already at {address}" if address else "is just starting"
        super().__init__(
            f"A demo {where}, on the data in {data}; stop it first (Ctrl-C where it runs), or give "
            "this one a folder of its own with --data."
        )


@contextmanager
def the_only_one(data: Path) -> Iterator[None]:
    """Keep every other demo off a folder of data until the block ends.

    :raises AlreadyRuns: one is there.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / LOCK).open("a+b") as lock:
        deadline = time.monotonic() + PATIENCE
        while not _can_lock(lock):
            if time.monotonic() > deadline:
                raise AlreadyRuns(data)
            time.sleep(0.05)
        (data / SETTINGS).unlink(missing_ok=True)
        try:
            yield
        finally:
            (data / SETTINGS).unlink(missing_ok=True)


def tell_settings(data: Path, config: Mapping[str, Any]) -> None:
    """Tell commands beside the running demo its settings; nobody else may read them."""
    told = {
        name: value
        for name, value in config.items()
        if (name in SHARED or name.startswith("LINECONNECT_")) and isinstance(value, SIMPLE)
    }
    draft = data / f"{SETTINGS}.tmp"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)
    draft.replace(data / SETTINGS)


def settings_of_running(data: Path) -> dict[str, Any]:
    """Return the settings of the demo that runs on a folder of data; none if none runs."""
    try:
        with (data / LOCK).open("r+b") as lock:
            if _can_lock(lock):
                return {}
    except OSError:
        # Nobody ever ran a demo there.
        return {}
    return _read_settings(data)


def clear(data: Path) -> None:
    """Delete all data but the lock, which its holder keeps."""
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _read_settings(data: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((data / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _can_lock(file: IO[bytes]) -> bool:
    """Take the lock until the file is closed; tell whether it was free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
