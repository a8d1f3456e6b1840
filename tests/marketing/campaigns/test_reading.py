"""Campaigns as data: what is read is written again, and every refusal names its place."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flask_lineconnect import UsageError
from flask_lineconnect.marketing.calendar.times import Recurring
from flask_lineconnect.marketing.campaigns.definition import Everybody
from flask_lineconnect.marketing.campaigns.definition import InvalidCampaign
from flask_lineconnect.marketing.campaigns.definition import Tracked
from flask_lineconnect.marketing.campaigns.reading import campaigns_of_file
from flask_lineconnect.marketing.campaigns.reading import read_campaign
from flask_lineconnect.marketing.campaigns.reading import write_campaign

TOML = """
[autumn]
label = "秋の新茶"
to = {segment = "tea_lovers", with = {days = 30}}
category = "news"
at = 2026-12-05T10:00:00
hold_out = 10
tracked = "personal"
unless_sent = [{category = "advertising", days = 3}, {campaign = "summer", days = 30}]
expires = "P1D"

[[autumn.variants]]
name = "plain"
weight = 3
message = "秋の新茶が入りました。"

[[autumn.variants]]
name = "named"
message = {text = "{{ name }}様、新茶です。", button = {label = "見る", url = "/teas"}}

[monthly]
label = "今月の便り"
to = "linked"
at = "every month on day 1 at 10:00"
message = "今月の便り"

[everybody]
label = "臨時休業"
to = "friends"
message = "本日は臨時休業です。"
"""
SMALL: dict[str, Any] = {"label": "秋", "to": "linked", "message": "新茶"}


def test_what_is_read_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.toml"
    path.write_text(TOML, "utf-8")
    autumn, monthly, everybody = campaigns_of_file(path)
    assert autumn.at == datetime(2026, 12, 5, 10)  # noqa: DTZ001  # the shop's zone is meant
    assert [(one.name, one.weight) for one in autumn.variants] == [("plain", 3), ("named", 1)]
    assert (autumn.tracked, autumn.hold_out) == (Tracked.PERSONAL, 10)
    assert isinstance(monthly.at, Recurring)
    assert everybody.to is Everybody.FRIENDS
    for one in (autumn, monthly, everybody):
        assert read_campaign(one.name, write_campaign(one)) == one
    # JSON says the same as TOML.
    data = tomllib.loads(TOML)["monthly"]
    assert read_campaign("monthly", data) == monthly


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"to": None}, "autumn.to", "says for whom"),
        ({"to": "all"}, "autumn.to", "linked or friends"),
        ({"to": {"segmnt": "x"}}, "autumn.to", "segment"),
        ({"to": {"all": [{"attribute": "rank"}]}}, "autumn.to.all[0]", ""),
        ({"message": None}, "autumn", "exactly one of message, variants"),
        ({"variants": [{"name": "a", "message": "x"}]}, "autumn", "exactly one"),
        ({"message": None, "variants": [{"name": "a", "message": "x"}]}, "autumn.variants", "2"),
        (
            {"message": None, "variants": [{"name": "a", "message": "x"}] * 2},
            "autumn.variants",
            "same name",
        ),
        (
            {"message": None, "variants": [{"name": "a"}, {"name": "b", "message": "x"}]},
            "autumn.variants[0].message",
            "must be said",
        ),
        (
            {
                "message": None,
                "variants": [
                    {"name": "a", "weight": 0, "message": "x"},
                    {"name": "b", "message": "x"},
                ],
            },
            "autumn.variants[0].weight",
            "from 1",
        ),
        ({"hold_out": 91}, "autumn.hold_out", "0 to 90"),
        ({"hold_out": True}, "autumn.hold_out", "0 to 90"),
        ({"at": "P1D"}, "autumn.at", "a moment is needed"),
        ({"at": "nonsense"}, "autumn.at", "nonsense"),
        ({"at": 5}, "autumn.at", "a moment is needed"),
        ({"unless_sent": [{"category": "news"}]}, "autumn.unless_sent[0].days", "must be said"),
        ({"unless_sent": [{"days": 3}]}, "autumn.unless_sent[0]", "exactly one"),
        ({"expires": "10:00"}, "autumn.expires", "length of time"),
        ({"tracked": "yes"}, "autumn.tracked", "no, shared, personal"),
        ({"holdout": 5}, "autumn.holdout", "Did you mean hold_out"),
        ({"message": {1, 2}}, "autumn.message", "no data"),
    ],
)
def test_every_refusal_names_its_place(changes: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(InvalidCampaign) as refused:
        read_campaign("autumn", {**SMALL, **changes})
    assert refused.value.place == place
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["Autumn", "1st", "", "a" * 61, "a-b"])
def test_a_name_is_small_letters(name: str) -> None:
    with pytest.raises(InvalidCampaign, match="small letters"):
        read_campaign(name, SMALL)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    for text, words in (("= 1", "no TOML"), ("a = 1", "a table is needed")):
        (tmp_path / "x.toml").write_text(text, "utf-8")
        with pytest.raises(UsageError, match=words):
            campaigns_of_file(tmp_path / "x.toml")
    (tmp_path / "x.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(UsageError, match="no JSON"):
        campaigns_of_file(tmp_path / "x.json")
    with pytest.raises(UsageError, match="can't be read"):
        campaigns_of_file(tmp_path / "gone.toml")
