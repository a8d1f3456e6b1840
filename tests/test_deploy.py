"""The files to start from: they are read by what reads them, and their commands exist."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from celery.bin.celery import celery as celery_commands
from flask.cli import cli as flask_commands

from flask_lineconnect.cli.group import line as line_commands
from flask_lineconnect.config.settings import Config
from tests.serving.authority import make_authority
from tests.serving.nginx import needed_nginx
from tests.serving.recipes import read_unit

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
COMPOSE = sorted(DEPLOY.glob("*/compose.yaml"))
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


COMPOSE_COMMANDS = (["docker", "compose"], ["docker-compose"])


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return not subprocess.run([*command, "version"], capture_output=True, check=False).returncode


def _services(path: Path) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["services"]
    return services


def _commands() -> list[str]:
    found = [service.get("command") for path in COMPOSE for service in _services(path).values()]
    services = [read_unit(path)["Service"] for path in UNITS]
    found += [one.get(name) for one in services for name in ("ExecStartPre", "ExecStart")]
    return [command for command in found if command]


def _check(arguments: list[str], commands: click.Command) -> None:
    """Walk through a command line as click would, and ask whether each word is known."""
    words = list(arguments)
    command = commands
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            option = next((one for one in command.params if word in one.opts), None)
            assert isinstance(option, click.Option), f"{command.name} has no {word}"
            if not option.is_flag:
                words.pop(0)
        else:
            assert isinstance(command, click.Group), word
            is_ours = command is flask_commands and word == "line"
            nested = line_commands if is_ours else _nested(command, word)
            assert nested is not None, word
            command = nested


def _nested(group: click.Group, word: str) -> click.Command | None:
    # Flask's own group asks the app for more commands, of which there is none here.
    if group is flask_commands:
        return group.commands.get(word)
    return group.get_command(click.Context(group), word)


@pytest.mark.parametrize("command", _commands())
def test_every_command_exists_with_its_options(command: str) -> None:
    program, *arguments = shlex.split(command)
    known: dict[str, click.Command] = {"flask": flask_commands, "celery": celery_commands}
    name = Path(program).name
    if name in known:
        _check(arguments, known[name])
    else:
        assert name in {"gunicorn", "redis-server"}


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_compose_files_set_what_is_a_setting(path: Path) -> None:
    services = _services(path)
    known = {f"FLASK_LINECONNECT_{one.name.upper()}" for one in dataclasses.fields(Config)}
    for name in ("web", "worker"):
        assert set(services[name]["environment"]) <= known
    assert services["web"]["environment"]["FLASK_LINECONNECT_ENGINE"] in {"worker", "celery"}
    assert all(set(one.get("depends_on", ())) <= set(services) for one in services.values())


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_compose_takes_them(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path)
    (tmp_path / "shop.env").touch()
    command = next((one for one in COMPOSE_COMMANDS if _works(one)), None)
    if command is None:
        pytest.skip("Docker Compose is not installed")
    answer = subprocess.run(
        [*command, "config", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_let_a_worker_finish(path: Path) -> None:
    service = read_unit(path)["Service"]
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) >= 30


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_them(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    # Programs and users that are not on this machine would be complained of.
    text = re.sub(r"(ExecStart\w*)=\S+", r"\1=/bin/true", path.read_text("utf-8"))
    copy = tmp_path / path.name
    copy.write_text(text.replace("User=shop\n", ""))
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    complaints = [one for one in answer.stderr.splitlines() if path.name in one]
    assert complaints == []


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_the_tables_are_there_before_the_shop(path: Path) -> None:
    services = _services(path)
    assert services["tables"]["command"].endswith("line db upgrade")
    for name in {"web", "worker", "beat"} & set(services):
        assert services[name]["depends_on"]["tables"] == {
            "condition": "service_completed_successfully"
        }


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    program = needed_nginx()
    authority = make_authority(tmp_path, ("shop.example",))
    text = (DEPLOY / "nginx" / "shop.conf").read_text("utf-8")
    text = text.replace("/etc/ssl/shop.example.pem", str(authority.chain))
    text = text.replace("/etc/ssl/shop.example.key", str(authority.key))
    # Ports that need no rights, and folders of its own.
    text = text.replace("listen 443", "listen 127.0.0.1:8443").replace("listen 80", "listen 8080")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{text}}}\n", "utf-8"
    )
    answer = subprocess.run(
        [program, "-t", "-p", tmp_path, "-c", "nginx.conf", "-e", "error.log"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    # What the app is told is what the documentation says.
    page = (ROOT / "docs" / "how-to" / "in-your-shop.md").read_text("utf-8")
    told = re.findall(r"proxy_set_header .*;", text)
    assert told == re.findall(r"proxy_set_header .*;", page)[: len(told)]


def test_the_docs_name_every_file() -> None:
    page = (ROOT / "docs" / "how-to" / "engines.md").read_text("utf-8")
    for path in (*COMPOSE, DEPLOY / "systemd", DEPLOY / "nginx" / "shop.conf"):
        assert str(path.relative_to(ROOT / "docs")) in page
