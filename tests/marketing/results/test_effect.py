"""Who was sent a campaign against who was held out, and how that is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from babel import Locale
from flask import Flask

from flask_lineconnect.i18n import speaking
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results.attribution import Windows
from flask_lineconnect.marketing.results.effect import Judgement
from flask_lineconnect.marketing.results.effect import judge
from flask_lineconnect.marketing.results.effect import sides_of
from flask_lineconnect.marketing.results.orders import orders_of
from flask_lineconnect.marketing.results.statistics import Arm
from flask_lineconnect.marketing.results.words import tell
from flask_lineconnect.marketing.results.words import tell_sales
from flask_lineconnect.marketing.results.words import tell_variants
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.results.conftest import NOW
from tests.marketing.results.conftest import Past

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
WORTHWHILE = 0.005
Tell = Callable[[str], str]


def arm(buyers: int, people: int) -> Arm:
    return Arm(people, [1_000 + 37 * (number % 50) for number in range(buyers)])


def judged(
    treated: tuple[int, int], held_out: tuple[int, int], *, is_over: bool = True
) -> Judgement:
    return judge(arm(*treated), arm(*held_out), is_over=is_over, worthwhile=WORTHWHILE)


@pytest.mark.parametrize(
    ("treated", "held_out", "kind", "ja", "en"),
    [
        (
            (480, 9_000),
            (20, 1_000),
            "better",
            "効果がありました。1,000人あたり33人",
            "It worked: 33",
        ),
        ((200, 9_000), (60, 1_000), "worse", "送らなかった方のほうが", "bought more ("),
        (
            (4_500, 90_000),
            (500, 10_000),
            "none",
            "差は見つかりませんでした。効果があっても、1,000人あたり4.3人まで",
            "at most about 4.3 buyers per 1,000",
        ),
        ((20, 900), (2, 100), "unsure", "今は1,000人分の結果です。あと約", "1,000 people so far"),
        ((0, 900), (0, 100), "none", "1,000人あたり4.3人まで", "at most about 4.3 buyers"),
        ((900, 900), (100, 100), "unsure", "まだ判断できません", "Too early to tell"),
        ((5, 5), (0, 3), "unsure", "まだ判断できません", "Too early to tell"),
        ((5, 5), (0, 0), "alone", "比べる相手（送らない人）がいない", "Nobody was held out"),
        ((0, 0), (0, 5), "nobody", "まだ誰にも送られていない", "Nobody was sent it"),
        ((0, 0), (0, 0), "nobody", "まだ誰にも送られていない", "Nobody was sent it"),
    ],
)
def test_each_result_is_a_sentence(
    app: Flask,
    treated: tuple[int, int],
    held_out: tuple[int, int],
    kind: str,
    ja: str,
    en: str,
) -> None:
    found = judged(treated, held_out)
    assert found.kind == kind
    with app.app_context():
        said = {}
        for language in ("ja", "en", "zh_Hant", "th"):
            with speaking(language):
                said[language] = tell(found) + tell_variants("a", "b", found)
        assert ja in said["ja"]
        assert en in said["en"]
        for text in said.values():
            assert "nan" not in text
            assert "%" not in text
        for word in ("有意", "p値", "信頼区間", "リフト", "ポイント"):
            assert word not in said["ja"]


def test_nobody_wins_before_the_planned_end(app: Flask) -> None:
    found = judged((480, 9_000), (20, 1_000), is_over=False)
    assert (found.kind, found.buyers, found.sales) == ("early", None, None)
    with app.app_context():
        assert "配信が終わり" in tell(found)
        assert "まだ判断できません" in tell_variants("a", "b", found)


def test_the_better_variant_is_named_first(app: Flask) -> None:
    with app.app_context():
        assert "「a」のほうが「b」より" in tell_variants(
            "a", "b", judged((300, 3_000), (150, 3_000))
        )
        assert "「b」のほうが「a」より" in tell_variants(
            "a", "b", judged((150, 3_000), (300, 3_000))
        )


def test_the_verdict_and_the_range_never_disagree() -> None:
    for more in range(0, 60):
        found = judged((150 + more, 3_000), (150, 3_000))
        assert found.buyers is not None
        assert (found.kind == "better") is (found.buyers.low > 0)


def test_sales_are_told_with_their_range(line: LineState) -> None:
    orders = orders_of(line)
    assert orders is not None
    ja = Locale.parse("ja")
    clear = tell_sales(judged((480, 9_000), (20, 1_000)), orders, ja)
    assert clear.startswith("追加売上は")
    assert "円と見られます（" in clear
    unclear = tell_sales(judged((55, 1_000), (50, 1_000)), orders, ja)
    assert "あったともなかったとも言えません" in unclear
    assert "少ないため" in tell_sales(judged((480, 9_000), (9, 1_000)), orders, ja)
    assert tell_sales(judged((1, 1), (0, 0)), orders, ja) == ""


@pytest.mark.parametrize(("worthwhile", "kind"), [(WORTHWHILE, "unsure"), (0.05, "none")])
def test_sales_alone_prove_nothing(line: LineState, worthwhile: float, kind: str) -> None:
    orders = orders_of(line)
    assert orders is not None
    treated, held_out = Arm(1_000, [9_000] * 52), Arm(1_000, [100] * 50)
    found = judge(treated, held_out, is_over=True, worthwhile=worthwhile)
    assert found.kind == kind
    assert found.sales is not None
    assert found.sales.low > 0
    for language, doubt in (("ja", "確かとは言えません"), ("en", "not certain")):
        with speaking(language):
            said = tell_sales(found, orders, Locale.parse(language))
        assert doubt in said
        assert "と見られます" not in said
        assert "are about" not in said


@on_both
def test_everybody_counts_on_the_side_of_the_beginning(line: LineState, past: Past) -> None:
    began, ended = NOW - timedelta(days=9), NOW - timedelta(days=6)
    members = past.members(10)
    campaign = past.campaign(created_at=began, finished_at=ended)
    sides = [
        *((member, "a", False, None) for member in members[:3]),
        # The message lost a value for this one, after the sides were drawn.
        (members[3], "b", False, "template"),
        (members[4], "b", False, None),
        *((member, "a", True, None) for member in members[5:7]),
        (members[7], "b", True, None),
        # These fell out before.
        (members[8], "", False, "declined"),
    ]
    for member, variant, is_held_out, reason in sides:
        line.session.add(
            CampaignMember(
                campaign_id=campaign,
                member_id=member,
                variant=variant,
                is_held_out=is_held_out,
                reason=reason,
            )
        )
    day = timedelta(days=1)
    for member, at, total in [
        (members[0], began, 100),
        (members[0], ended + 5 * day, 50),
        (members[1], began - day, 1_000),
        (members[1], ended + 5 * day + timedelta(seconds=1), 1_000),
        (members[3], ended, 30),
        (members[5], ended, 7),
        (members[7], ended, 3),
        (members[8], ended, 1_000),
        (members[9], ended, 1_000),
    ]:
        past.event("order.placed", member, at, f"order:{member}:{at}", total=total)
    past.event("order.placed", members[2], ended, "order:back", total=9)
    past.event("order.returned", members[2], NOW, "order:back")
    line.session.commit()
    handle_due(line)
    row = line.session.get_one(Campaign, campaign)
    found = sides_of(line.session, row, Windows(), now=NOW)
    assert found.is_over
    assert dict(found.treated) == {"a": Arm(3, [150]), "b": Arm(2, [30])}
    assert (found.held_out.people, sorted(found.held_out.amounts)) == (3, [3, 7])
    assert not sides_of(line.session, row, Windows(), now=NOW - 2 * day).is_over
    assert [pair[:2] for pair in found.judge_variants(WORTHWHILE)] == [("a", "b")]
    row.finished_at = None
    assert not sides_of(line.session, row, Windows(), now=NOW).is_over
