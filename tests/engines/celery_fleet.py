"""Celery's own programs, on the small shop: workers and beat as processes that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis
from flask import Flask

from flask_lineconnect.webhooks.signature import sign

ROOT = Path(__file__).parents[2]
#: Seconds.
PATIENCE = 60.0


class Fleet:
    """Workers and beat of one shop.

    :param settings: the shop's, with the broker's address.
    :param folder: for logs, and for what beat remembers.
    """

    def __init__(self, settings: Mapping[str, Any], folder: Path):
        self._folder = folder
        self._environment = {**os.environ, "SHOP_SETTINGS": json.dumps(dict(settings))}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker with two processes; it need not be ready yet."""
        alone = ("--without-gossip", "--without-mingle")
        return self._start("worker", "-n", f"{name}@test", "-c", "2", "-l", "INFO", *alone)

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start beat."""
        return self._start("beat", "-s", str(self._folder / "schedule"))

    def stop(self) -> None:
        """End everything at once."""
        for process in self._processes:
            if process.poll() is None:
                kill(process)

    def log(self) -> str:
        """Return what all of them wrote."""
        return "\n".join(path.read_text("utf-8") for path in sorted(self._folder.glob("*.log")))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "tests.engines.own_process", *arguments]
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker and its children at once, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pause(process: subprocess.Popen[bytes]) -> None:
    """Let a worker and its children stand still."""
    os.killpg(process.pid, signal.SIGSTOP)


def go_on(process: subprocess.Popen[bytes]) -> None:
    """Let them go on."""
    os.killpg(process.pid, signal.SIGCONT)


def queued_tasks(broker: str, queue: str = "celery") -> list[dict[str, Any]]:
    """Return the tasks that wait in Redis, as they are there."""
    with redis.Redis.from_url(broker) as client:
        return [json.loads(task) for task in client.lrange(queue, 0, -1)]


def follow(app: Flask, line_user_id: str) -> int:
    """Let LINE's webhook say that somebody follows the shop; return the answer's status."""
    event = {
        "type": "follow",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": line_user_id},
        "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC001",
        "deliveryContext": {"isRedelivery": False},
        "follow": {"isUnblocked": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
    }
    body = json.dumps({"destination": "U8e", "events": [event]}).encode()
    signature = sign(body, app.config["LINECONNECT_MESSAGING_CHANNEL_SECRET"])
    headers = {"X-Line-Signature": signature}
    return app.test_client().post("/line/webhook", data=body, headers=headers).status_code


def wait_until(holds: Callable[[], bool], fleet: Fleet | None = None) -> None:
    """Return as soon as something holds.

    :raises AssertionError: it does not in time; shows the logs.
    """
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, fleet.log()[-8_000:] if fleet else "it took too long"
        time.sleep(0.05)
