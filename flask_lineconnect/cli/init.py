"""``flask line init``: from two channels to a shop's settings, before there is an app."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from flask.cli import NoAppException
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from ..config.settings import Config
from ..config.values import origin as read_origin
from ..doctor.examination import examine
from ..errors import ConfigError
from ..errors import LineConnectError
from ..line_api.client import LineApi
from ..line_api.http import LineHttp
from ..rich_menus import releases
from ..rich_menus.publish import publish
from ..setting_up.env_file import PREFIX
from ..setting_up.env_file import for_environment
from ..setting_up.env_file import read_env
from ..setting_up.env_file import write_env
from ..setting_up.joining import by_hand
from ..setting_up.joining import check_channels
from ..setting_up.joining import join
from ..setting_up.menus import bring_menus
from ..setting_up.questions import Questions
from ..setting_up.tables import check_tables
from ..state import EXTENSION_KEY
from ..state import LineState

#: What is asked for, and how; everything else is found out.
_WANTED = {
    "LINECONNECT_BASE_URL": "The shop's public address (https://…)",
    "LINECONNECT_LOGIN_CHANNEL_ID": "LINE Login channel: Channel ID",
    "LINECONNECT_LOGIN_CHANNEL_SECRET": "LINE Login channel: Channel secret",
    "LINECONNECT_MESSAGING_CHANNEL_ID": "Messaging API channel: Channel ID",
    "LINECONNECT_MESSAGING_CHANNEL_SECRET": "Messaging API channel: Channel secret",
}
#: Where `flask line emulator` listens, and `flask run`.
EMULATOR, SHOP = "http://127.0.0.1:5001", "http://127.0.0.1:5000"
#: How long an emulator may take, which is on this machine.
EMULATOR_SECONDS = 5.0


@click.command()
@click.option(
    "--env-file",
    default=".env",
    show_default=True,
    help="Where the settings are read and written; other lines in it stay.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option("--emulator", is_flag=True, help="For the emulator, which must run.")
@click.option("--emulator-url", default=EMULATOR, show_default=True, help="Where it is.")
@click.pass_context
def init(
    ctx: click.Context, env_file: str, dry_run: bool, emulator: bool, emulator_url: str
) -> None:
    """Write the settings that join a shop to LINE, and tell LINE where the shop is.

    Channel IDs and secrets come from the environment, the file, or your answers; LINE is asked
    whether they are right. LIFF app and webhook are set, the console's part is listed. May be
    repeated: it changes only what differs. It needs no app; where there is one, its rich menu is
    published.
    """
    file = Path(env_file)
    try:
        given = {**read_env(file), **_environment()}
        if emulator:
            given = _of_emulator(emulator_url, given, is_dry=dry_run) | given
        values = {**given, **_answers(given)}
        questions = _questions(values)
        check_channels(questions)
        for step in join(questions, is_dry=dry_run):
            click.echo(f"{'would be' if dry_run else 'done'}: {step.text}")
            values.update(step.settings)
        _write(file, values, is_dry=dry_run)
        if not dry_run:
            _publish_menu(ctx, values)
        # With the option the emulator was told all of it.
        _say_the_rest(questions, is_done=emulator)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None


def _environment() -> dict[str, str]:
    found = {
        name.removeprefix(PREFIX): value.strip('"')
        for name, value in os.environ.items()
        if name.startswith(f"{PREFIX}LINECONNECT_")
    }
    return {name: value for name, value in found.items() if value}


def _answers(given: Mapping[str, str]) -> dict[str, str]:
    """Ask for what is neither in the environment nor in the file.

    :raises ClickException: nobody is there to answer.
    """
    missing = [name for name in _WANTED if not given.get(name)]
    if missing and not _is_somebody_there():
        names = ", ".join(PREFIX + name for name in missing)
        raise click.ClickException(f"{names} must be in the environment, or run it in a terminal")
    return {
        name: click.prompt(_WANTED[name], hide_input=name.endswith("SECRET")).strip()
        for name in missing
    }


def _is_somebody_there() -> bool:
    return sys.stdin.isatty()


def _of_emulator(url: str, given: Mapping[str, str], *, is_dry: bool) -> dict[str, str]:
    """Return the settings of a shop in development, for the channels of a running emulator."""
    base_url = given.get("LINECONNECT_BASE_URL", SHOP)
    try:
        url = read_origin(url)
        state = _control(url, "GET", "/state")
        if not is_dry:
            # The part of LINE's console, which no API of LINE's reaches.
            _control(url, "PUT", "/setup", {"base_url": base_url})
        login, messaging = state["login_channel"], state["messaging_channel"]
        ids = {
            "LOGIN_CHANNEL_ID": login["id"],
            "LOGIN_CHANNEL_SECRET": login["secret"],
            "MESSAGING_CHANNEL_ID": messaging["id"],
            "MESSAGING_CHANNEL_SECRET": messaging["secret"],
        }
    except (LineConnectError, KeyError, TypeError, ValueError) as error:
        raise click.ClickException(
            f"no emulator answers at {url} ({type(error).__name__}); begin it with "
            f"`flask line emulator --base-url {base_url}`"
        ) from None
    return {f"LINECONNECT_{name}": str(value) for name, value in ids.items()} | {
        "LINECONNECT_EMULATOR_URL": url,
        "LINECONNECT_BASE_URL": base_url,
        "DEBUG": "1",
        "SECRET_KEY": secrets.token_hex(),
        "SQLALCHEMY_DATABASE_URI": "sqlite:///shop.db",
    }


def _control(url: str, method: str, path: str, body: object = None) -> Mapping[str, Any]:
    """Ask the emulator's control pages.

    :raises LineApiError: nothing answers.
    :raises ValueError: something else does, or it refuses.
    """
    answer = LineHttp(url, EMULATOR_SECONDS).ask(method, f"/_emulator{path}", body=body)
    if answer.status != HTTPStatus.OK:
        raise ValueError(f"status {answer.status}")
    return answer.content


def _questions(values: Mapping[str, str]) -> Questions:
    ours = {name: value for name, value in values.items() if name.startswith("LINECONNECT_")}
    config = Config.from_mapping(ours)
    if config.emulator_url is None:
        config.check_for_production()
    return Questions(config, LineHttp(config.hosts.api, config.timeout_seconds))


def _write(file: Path, values: Mapping[str, str], *, is_dry: bool) -> None:
    before = read_env(file)
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    if not changed:
        click.echo(f"{file} has all settings.")
        return
    names = ", ".join(PREFIX + name for name in changed)
    if is_dry:
        click.echo(f"would be: {names} in {file}")
        return
    write_env(file, changed)
    click.echo(f"done: {names} in {file}. It holds secrets: keep it out of version control.")


def _publish_menu(ctx: click.Context, values: Mapping[str, str]) -> None:
    """Publish the rich menu of the shop's app, if there is an app that has one LINE does not show.

    :raises LineConnectError: the menu can't be made, or LINE refused it.
    """
    for name, value in for_environment(values).items():
        os.environ.setdefault(name, value)
    try:
        app = ctx.ensure_object(ScriptInfo).load_app()
    except NoAppException:
        return
    except Exception as error:  # whatever the shop's code raises while it has no settings yet
        said = f": {error}" if isinstance(error, LineConnectError) else ""
        click.echo(f"The app does not start yet ({type(error).__name__}{said}).")
        return
    line = app.extensions.get(EXTENSION_KEY)
    if not isinstance(line, LineState):
        return
    with app.app_context():
        if line.rich_menu is None and not _has_menus(line):
            return
        try:
            check_tables(line)
        except (ConfigError, SQLAlchemyError):
            click.echo("The rich menu waits for the tables: make them, then `flask line setup`.")
            return
        if any(one.state == "wrong" for one in examine(line, names={"rich-menu"})):
            if line.rich_menu is None:
                for step in bring_menus(line, releases.plan(line)):
                    click.echo(f"done: {step}")
                return
            menu_id, _is_new = publish(line, line.part(LineApi), line.rich_menu, now=line.clock())
            click.echo(f"done: the rich menu is {menu_id}")


def _has_menus(line: LineState) -> bool:
    try:
        return bool(releases.declared(line))
    except LineConnectError as error:
        click.echo(str(error))
        return False


def _say_the_rest(questions: Questions, *, is_done: bool) -> None:
    if not is_done:
        url = questions.config.emulator_url
        where = f"the emulator's page {url}/consoles" if url else "LINE's web console"
        click.echo(f"\nOnly {where} can do the rest:")
        for number, text in enumerate(by_hand(questions), start=1):
            click.echo(f"{number:>2}. {text}")
    click.echo(
        "\nNext, with these settings in the environment (`pip install python-dotenv`, and Flask "
        "reads .env):\nmake the tables (`flask db migrate`, `flask db upgrade`), `flask line "
        "setup` publishes the rich menu, log in once with LINE as a friend, `flask line "
        "doctor` checks all of it."
    )
