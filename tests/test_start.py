"""What a shop's start does not load, nor any command of ``flask`` that needs none of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flask_lineconnect import ConfigError
from tests.conftest import MakeApp

ROOT = Path(__file__).parents[1]

#: What a login, a card, a receipt, a message or a webhook loads when there is the first one.
LOADED_LATER = {
    "PIL",
    "aiohttp",
    "authlib",
    "barcode",
    "celery",
    "cryptography",
    "joserfc",
    "limits",
    "linebot",
    "msgspec",
    "numpy",
    "pandas",
    "prometheus_client",
    "redis",
    "reportlab",
    "requests",
    "scipy",
    "segno",
    "statsmodels",
    "urllib3",
}
#: Rooms of ours that wait with them.
OURS_LOADED_LATER = {
    "flask_lineconnect.doctor.examination",
    "flask_lineconnect.engines.work",
    "flask_lineconnect.liff.receipt",
    "flask_lineconnect.login.oidc",
    "flask_lineconnect.outbox.delivery",
    "flask_lineconnect.outbox.queue",
    "flask_lineconnect.setting_up.channels",
    "flask_lineconnect.webhooks.dispatch",
    "flask_lineconnect.webhooks.inbox",
}
SETTINGS = """
from tests.small_shop import SETTINGS
settings = {**SETTINGS, "SQLALCHEMY_DATABASE_URI": "sqlite://", "LINECONNECT_ENGINE": "<engine>"}
"""
SMALL_SHOP = SETTINGS + "from tests.small_shop import create_app; create_app(settings)"
DEMO_SHOP = SETTINGS + "from demo_shop import create_app; create_app(settings)"
#: As `flask` does it before any command of its own: the entry points, then the app.
COMMAND = """
import sys
from flask.cli import FlaskGroup
sys.argv = ["flask", "routes"]
FlaskGroup(create_app=lambda: create_app(settings))(standalone_mode=False)
"""
BARE = """
from flask import Flask
settings = None
def create_app(_settings):
    return Flask("bare")
"""
REPORT = """
import sys
import threading
print("loaded:", *sys.modules)
print("threads:", *(thread.name for thread in threading.enumerate()))
"""


def _left_behind_by(script: str) -> tuple[set[str], list[str]]:
    """Return the modules that a script in a fresh process has loaded, and the threads it has."""
    command = [sys.executable, "-c", script + REPORT]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    *_, loaded, threads = answer.stdout.splitlines()
    return set(loaded.split()[1:]), threads.split()[1:]


@pytest.mark.parametrize("engine", ["thread", "worker"])
@pytest.mark.parametrize(
    "script", [SMALL_SHOP, DEMO_SHOP, SMALL_SHOP + COMMAND], ids=["small", "demo", "flask routes"]
)
def test_a_start_loads_what_every_page_needs_and_no_more(script: str, engine: str) -> None:
    modules, threads = _left_behind_by(script.replace("<engine>", engine))
    if COMMAND in script:
        # Other packages that are installed bring commands of their own.
        modules -= _left_behind_by(BARE + COMMAND)[0]
    assert {module.partition(".")[0] for module in modules} & LOADED_LATER == set()
    assert modules & OURS_LOADED_LATER == set()
    assert threads == ["MainThread"]


def test_every_name_on_the_list_is_one_that_can_be_loaded() -> None:
    """A list with a misspelt name would hold nothing."""
    script = "".join(f"import {name}\n" for name in sorted(LOADED_LATER | OURS_LOADED_LATER))
    modules, _threads = _left_behind_by(script)
    assert modules >= LOADED_LATER | OURS_LOADED_LATER


@pytest.mark.parametrize("address", ["redys://:hush@localhost", "localhost:6379/hush"])
def test_a_wrong_address_of_the_counters_is_found_at_the_start(
    make_app: MakeApp, address: str
) -> None:
    with pytest.raises(ConfigError, match="LINECONNECT_RATE_LIMIT_STORAGE") as caught:
        make_app(LINECONNECT_RATE_LIMIT_STORAGE=address)
    assert "hush" not in str(caught.value)
