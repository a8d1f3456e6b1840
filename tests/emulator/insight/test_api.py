"""The figures that come of deliveries, with the official SDK."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from linebot.v3 import insight

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..crowds import TEXT
from ..crowds import crowd

pytestmark = pytest.mark.usefixtures("stopped_clock")


def insights(line: Line) -> insight.Insight:
    configuration = insight.Configuration(host=line.host, access_token=line.token)
    return insight.Insight(insight.ApiClient(configuration))


def test_C10_figures_of_a_unit_and_of_a_request(line: Line) -> None:
    with line.platform.change() as world:
        world.messaging_channel.minimum_figure = 1
    line.befriend(SAKURA, KENTA)
    url = "https://shop.example/sale"
    button = {"type": "uri", "label": "見る", "uri": url}
    template = {"type": "buttons", "text": "どうぞ", "actions": [button]}
    message = {"type": "template", "altText": "どうぞ", "template": template}
    body: dict[str, Any] = {"messages": [message], "customAggregationUnits": ["sale"]}
    line.call("POST", "/v2/bot/message/multicast", json={"to": [SAKURA, KENTA], **body})
    for user_id in (SAKURA, KENTA):
        line.call("POST", f"/phone/{user_id}/read", json={}, headers={"Origin": line.host})
    for _ in range(2):
        line.call("GET", f"/phone/{SAKURA}/open?url={url}", allow_redirects=False)

    figures = insights(line).get_statistics_per_unit("sale", "20260814", "20260820")

    assert figures.overview.unique_impression == 2
    assert figures.overview.unique_click == 1
    assert [(one.seq, one.impression) for one in figures.messages] == [(1, 2)]
    assert [(one.url, one.click, one.unique_click) for one in figures.clicks] == [(url, 2, 1)]
    assert line.api.get_aggregation_unit_usage().num_of_custom_aggregation_units == 1
    assert line.api.get_aggregation_unit_name_list().custom_aggregation_units == ["sale"]


def test_C10_small_figures_are_kept_private(line: Line) -> None:
    line.befriend(SAKURA)
    body = {"to": SAKURA, **TEXT, "customAggregationUnits": ["sale"]}
    line.call("POST", "/v2/bot/message/push", json=body)
    line.call("POST", f"/phone/{SAKURA}/read", json={}, headers={"Origin": line.host})

    figures = insights(line).get_statistics_per_unit("sale", "20260814", "20260814")

    assert figures.overview.unique_impression is None


@pytest.mark.parametrize(
    ("first", "last"), [("20260801", "20260831"), ("20260802", "20260801"), ("x", "20260801")]
)
def test_C10_a_unit_is_told_about_for_thirty_days(line: Line, first: str, last: str) -> None:
    path = "/v2/bot/insight/message/event/aggregation?customAggregationUnit=sale"

    answer = line.call("GET", f"{path}&from={first}&to={last}")

    assert answer.status_code == 400
    assert answer.json() == {"message": None, "key": None, "stacktrace": None, "code": None}


def test_C10_deliveries_of_a_day_are_told_on_the_next(line: Line) -> None:
    line.befriend(SAKURA)
    line.call("POST", "/v2/bot/message/push", json={"to": SAKURA, **TEXT})
    api = insights(line)

    assert api.get_number_of_message_deliveries("20260814").status == "unready"
    line.platform.clock.advance(timedelta(days=1).total_seconds())
    assert api.get_number_of_message_deliveries("20260814").api_push == 1
    assert line.api.get_number_of_sent_push_messages("20260814").success == 1
    assert line.call("GET", "/v2/bot/message/delivery/push?date=x").json() == {
        "message": "The value for the 'date' parameter is invalid"
    }


def test_C10_followers_and_who_they_are(line: Line) -> None:
    crowd(line, 30, gender="female", age="age_20", area="jp_13", app_type="ios")
    with line.platform.change() as world:
        world.users[KENTA].relation = "blocked"

    told = insights(line).get_number_of_followers("20260813")
    people = insights(line).get_friends_demographics()

    assert (told.followers, told.targeted_reaches, told.blocks) == (31, 30, 1)
    assert people.available is True
    assert people.genders is not None
    assert [(one.gender, one.percentage) for one in people.genders] == [("female", 100.0)]
    assert line.call("GET", "/v2/bot/insight/followers").json() == {"message": "date is required"}
