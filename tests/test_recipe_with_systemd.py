"""The units of systemd and nginx's file, run as they say: gunicorn, workers, nginx with TLS.

PostgreSQL, Redis and nginx are real; a unit's command is a process here, and ended as its unit is.
LINE is the emulator, which finds the shop under its name and trusts the tests' authority.
"""

from __future__ import annotations

import configparser
import shlex
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from flask_lineconnect import Emulator
from flask_lineconnect.testing.plugin import free_port
from tests.postgres import create_database
from tests.redis_server import running_redis
from tests.serving import names
from tests.serving.authority import Authority
from tests.serving.authority import make_authority
from tests.serving.nginx import needed_nginx
from tests.serving.nginx import running_servers
from tests.serving.recipes import PATIENCE
from tests.serving.recipes import make_the_shops_tables
from tests.serving.recipes import read_unit
from tests.serving.recipes import running
from tests.serving.recipes import variables
from tests.serving.recipes import wait_for_answers
from tests.serving.recipes import wait_until_healthy
from tests.serving.recipes import write_celery
from tests.serving.recipes import write_shop

DEPLOY = names.ROOT / "docs" / "deploy"
NAME = "shop.example"
#: What runs beside the web processes, by the engine that its unit names.
BESIDE = {
    "worker": ("shop-line-worker",),
    "celery": ("shop-celery-worker", "shop-celery-beat"),
}


class Units:
    """The units as processes in a folder, which is ``/srv/shop`` and ``/var/lib/shop``.

    :param environ: what ``/etc/shop.env`` says, and the process's own.
    :param port: of gunicorn, instead of the one in its unit.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], port: int):
        self._folder, self._environ, self._port = folder, environ, port

    @contextmanager
    def running(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a unit, wait until systemd would call it started, and end it as systemd does."""
        service = self._service(name)
        if before := service.get("ExecStartPre"):
            command = self._command(before)
            subprocess.run(command, cwd=self._folder, env=dict(self._environ), check=True)
        with ExitStack() as stack:
            environ = dict(self._environ)
            told = stack.enter_context(closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))
            if service["Type"] == "notify":
                environ["NOTIFY_SOCKET"] = str(self._folder / f"{name}.notify")
                told.bind(environ["NOTIFY_SOCKET"])
                told.settimeout(PATIENCE)
            command = self._command(service["ExecStart"])
            process = stack.enter_context(running(command, self._folder, environ))
            if service["Type"] == "notify":
                assert told.recv(4096).startswith(b"READY=1")
            yield process

    def reload(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Do what ``systemctl reload`` does."""
        command = self._service(name)["ExecReload"].replace("$MAINPID", str(process.pid))
        subprocess.run(shlex.split(command), check=True)

    def _service(self, name: str) -> configparser.SectionProxy:
        service = read_unit(DEPLOY / "systemd" / f"{name}.service")["Service"]
        # Who is killed at once by whom these tests end would be lost work.
        assert service["KillMode"] == "mixed"
        return service

    def _command(self, line: str) -> list[str]:
        text = line.replace("127.0.0.1:8000", f"127.0.0.1:{self._port}")
        program, *arguments = shlex.split(text.replace("/var/lib/shop", str(self._folder)))
        assert program.startswith("/srv/shop/.venv/bin/")
        return [sys.executable, "-m", Path(program).name, *arguments]


def _servers(authority: Authority, https: int, http: int, shop: int) -> str:
    """Return nginx's file, with what differs on a machine where anybody runs it."""
    text = (DEPLOY / "nginx" / "shop.conf").read_text("utf-8")
    for there, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("/etc/ssl/shop.example.pem", str(authority.chain)),
        ("/etc/ssl/shop.example.key", str(authority.key)),
        ("http://127.0.0.1:8000", f"http://127.0.0.1:{shop}"),
    ):
        assert there in text
        text = text.replace(there, here)
    return text


@contextmanager
def _line(given: Mapping[str, str]) -> Iterator[Emulator]:
    """Run an emulator that finds the shop under its name."""
    port = free_port()
    command = [sys.executable, "-m", "tests.serving.line", str(port)]
    with running(command, names.ROOT, given):
        emulator = Emulator(f"http://127.0.0.1:{port}")
        _wait_until_there(f"{emulator.url}/_emulator/health")
        yield emulator


def _wait_until_there(url: str) -> None:
    session = requests.Session()
    retry = requests.adapters.Retry(total=100, backoff_factor=0.1, backoff_max=1)
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
    assert session.get(url, timeout=PATIENCE).ok


@pytest.mark.parametrize("engine", BESIDE)
def test_a_machine_with_systemd_serves_answers_and_goes_to_a_new_version(
    engine: str, tmp_path: Path, postgres_server: str
) -> None:
    needed_nginx()
    https, http, port = free_port(), free_port(), free_port()
    authority = make_authority(tmp_path, (NAME,))
    given = names.environment(authority, {NAME: https})
    url = f"https://{NAME}"
    write_shop(tmp_path, "old")
    write_celery(tmp_path)
    with ExitStack() as machine:
        machine.enter_context(names.leading_here(authority, {NAME: https}))
        redis = machine.enter_context(running_redis()) if engine == "celery" else ""
        servers = _servers(authority, https, http, port)
        machine.enter_context(running_servers(tmp_path / "nginx", authority, https, servers))
        emulator = machine.enter_context(_line(given))
        emulator.set_up(base_url=url, messaging_channel={"redelivery": True})
        database = create_database(postgres_server, uuid.uuid4().hex)
        environ = {**given, **variables(emulator, url, database, tmp_path, redis)}
        environ["FLASK_LINECONNECT_ENGINE"] = engine
        make_the_shops_tables(tmp_path, environ)
        units = Units(tmp_path, environ, port)
        with units.running("shop-web") as web:
            _people_are_led_to_https(http)
            _serve_and_go_on(tmp_path, units, web, emulator, BESIDE[engine])
        assert web.returncode == 0
        # nginx is there, and says that nobody is behind it.
        assert requests.get(f"{url}/line/health", timeout=PATIENCE).status_code == 502


def _people_are_led_to_https(http: int) -> None:
    answer = requests.get(
        f"http://127.0.0.1:{http}/teas?kind=1",
        headers={"Host": NAME},
        allow_redirects=False,
        timeout=PATIENCE,
    )
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{NAME}/teas?kind=1")


def _serve_and_go_on(
    folder: Path,
    units: Units,
    web: subprocess.Popen[bytes],
    emulator: Emulator,
    beside: tuple[str, ...],
) -> None:
    user_id = emulator.add_user("佐藤 さくら")
    emulator.add_friend(user_id)
    with ExitStack() as stack:
        old = [stack.enter_context(units.running(name)) for name in beside]
        wait_until_healthy(f"https://{NAME}")
        emulator.write(user_id, "version")
        assert wait_for_answers(emulator, user_id, 1) == ["old"]
        # A new release: the web processes are reloaded, the others restarted.
        write_shop(folder, "new")
        units.reload("shop-web", web)
        emulator.write(user_id, "version")
        wait_for_answers(emulator, user_id, 2)
    assert [process.returncode for process in old] == [0] * len(beside)
    # Nobody works now, and nothing is lost.
    emulator.write(user_id, "version")
    with ExitStack() as stack:
        for name in beside:
            stack.enter_context(units.running(name))
        wait_until_healthy(f"https://{NAME}")
        assert wait_for_answers(emulator, user_id, 3) == ["old", "old", "new"]
    assert web.poll() is None, "the reload left its main process"
