"""The report on personal data: whole, and as the settings are."""

from __future__ import annotations

import json
import re
from typing import Any

from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup

from flask_lineconnect.models import LineBase
from flask_lineconnect.models import MemberKey
from flask_lineconnect.setting_up import privacy
from tests.conftest import MakeApp


def _report(app: Flask, *words: str) -> str:
    group = FlaskGroup(create_app=lambda: app)
    result = CliRunner().invoke(group, ["line", "privacy", "report", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_every_table_with_something_of_a_person_is_told() -> None:
    silent = [
        name
        for name, table in LineBase.metadata.tables.items()
        if privacy.personal_columns(table) and name not in privacy._TOLD
    ]
    assert silent == [], "say in setting_up/privacy.py what they keep, and until when"
    # And nothing is told of tables that are not there.
    assert set(privacy._TOLD) | set(privacy._ERASED) <= set(LineBase.metadata.tables)


def test_member_keys_and_accounts_are_personal_in_every_table() -> None:
    for table in LineBase.metadata.tables.values():
        for column in table.columns:
            is_key = isinstance(column.type, MemberKey)
            is_place = column.info.get("ondelete", "") is None
            named = {key.column.table.name for key in column.foreign_keys}
            if (is_key and not is_place) or "lineconnect_account" in named:
                assert column.name in privacy.personal_columns(table), table.name


def test_the_settings_are_in_it(make_app: MakeApp) -> None:
    app = make_app(
        LINECONNECT_MEMBER_EVENT_DAYS=123,
        LINECONNECT_FORWARD_WEBHOOKS="https://tool.example/hook?key=planted",
    )
    found: dict[str, Any] = json.loads(_report(app, "--json"))
    kept = {one["table"]: one for one in found["kept"]}
    assert kept["lineconnect_member_event"]["until"].startswith("123 days")
    assert "payload" in kept["lineconnect_inbox_event"]["columns"]
    assert kept["lineconnect_click"]["erasure"].startswith("goes at once")
    assert [one["who"] for one in found["recipients"]] == ["LINE", "tool.example"]
    written = _report(app)
    assert "planted" not in written
    for table in kept:
        assert f"| `{table}` |" in written
    assert {len(line.split(" | ")) for line in re.findall(r"^\| `line.*", written, re.M)} == {5}
