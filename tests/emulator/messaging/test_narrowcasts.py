"""Narrowcasts: whom they mean, how they wait, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line
from ..crowds import TEXT
from ..crowds import crowd
from ..crowds import make_audience

pytestmark = pytest.mark.usefixtures("stopped_clock")

NARROWCAST = "/v2/bot/message/narrowcast"


def start(line: Line, **body: Any) -> str:
    answer = line.call("POST", NARROWCAST, json=TEXT | body)
    assert (answer.status_code, answer.json()) == (202, {}), answer.text
    return answer.headers["x-line-request-id"]


def progress(line: Line, request_id: str) -> dict[str, Any]:
    answer = line.call("GET", f"/v2/bot/message/progress/narrowcast?requestId={request_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def to(audience_id: int) -> dict[str, Any]:
    return {"type": "audience", "audienceGroupId": audience_id}


def test_M22_a_narrowcast_waits_is_sent_and_succeeds(line: Line) -> None:
    everybody = crowd(line, 60)
    request_id = start(line)

    assert progress(line, request_id) == {
        "phase": "waiting",
        "acceptedTime": "2026-08-14T03:00:00.000Z",
    }
    assert line.chat(everybody[0]) == []
    line.platform.clock.advance(1)
    sending = progress(line, request_id)
    assert (sending["phase"], sending["targetCount"]) == ("sending", 60)
    line.platform.clock.advance(1)
    assert progress(line, request_id) == {
        "phase": "succeeded",
        "successCount": 60,
        "failureCount": 0,
        "targetCount": 60,
        "acceptedTime": "2026-08-14T03:00:00.000Z",
        "completedTime": "2026-08-14T03:00:02.000Z",
    }
    assert line.chat(everybody[0]) == ["や"]
    assert line.used() == 60


def test_M22_the_sdk_reads_the_progress(line: Line) -> None:
    crowd(line, 50)
    request_id = start(line)
    line.platform.clock.advance(2)

    assert line.api.get_narrowcast_progress(request_id).success_count == 50


def test_M22_progress_is_told_for_fourteen_days(line: Line) -> None:
    crowd(line, 50)
    request_id = start(line)
    line.platform.clock.advance(14 * 86_400)
    path = f"/v2/bot/message/progress/narrowcast?requestId={request_id}"

    gone, unknown = line.call("GET", path), line.call("GET", path[:-1])

    assert (gone.status_code, gone.json()) == (404, {"message": "Not found"})
    assert unknown.status_code == 404


def test_M12_a_running_narrowcast_holds_its_quota(line: Line) -> None:
    friends = crowd(line, 50)
    with line.platform.change() as world:
        world.messaging_channel.quota = 50
    start(line)
    push = {"to": friends[0], **TEXT}

    held = line.call("POST", "/v2/bot/message/push", json=push)

    assert (held.status_code, held.json()) == (
        429,
        {"message": "You have reached your monthly limit."},
    )
    line.platform.clock.advance(2)
    assert line.used() == 50


def test_M12_a_failed_narrowcast_gives_its_quota_back(line: Line) -> None:
    friends = crowd(line, 49)
    with line.platform.change() as world:
        world.messaging_channel.quota = 49
    request_id = start(line)
    line.platform.clock.advance(1)

    assert progress(line, request_id)["phase"] == "failed"
    push = line.call("POST", "/v2/bot/message/push", json={"to": friends[0], **TEXT})
    assert push.status_code == 200


def test_M23_filters_need_enough_friends(line: Line) -> None:
    crowd(line, 99, gender="female")
    only_women = {"demographic": {"type": "gender", "oneOf": ["female"]}}

    answer = line.call("POST", NARROWCAST, json={**TEXT, "filter": only_women})

    assert answer.status_code == 403
    assert answer.json() == {"message": "Your account does not have enough friends"}


def test_M23_too_few_recipients_fail_later(line: Line) -> None:
    crowd(line, 49)
    request_id = start(line)
    line.platform.clock.advance(1)

    failed = progress(line, request_id)

    assert (failed["phase"], failed["errorCode"]) == ("failed", 2)
    assert failed["failedDescription"]
    assert line.used() == 0


def test_M23_an_audience_that_is_not_ready(line: Line) -> None:
    line.befriend(SAKURA)
    audience_id = make_audience(line, SAKURA, is_ready=False)

    answer = line.call("POST", NARROWCAST, json={**TEXT, "recipient": to(audience_id)})

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": f"Invalid audience group id: {audience_id}"},
    )


def test_uploaded_audiences_may_be_small(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    request_id = start(line, recipient=to(make_audience(line, SAKURA, STRANGER)))
    line.platform.clock.advance(2)

    assert progress(line, request_id)["successCount"] == 1
    assert (line.chat(SAKURA), line.chat(KENTA)) == (["や"], [])


def test_operators_combine_audiences_and_earlier_deliveries(line: Line) -> None:
    line.befriend(SAKURA, KENTA, YOKO)
    first = start(line, recipient=to(make_audience(line, SAKURA)))
    line.platform.clock.advance(2)
    all_three = to(make_audience(line, SAKURA, KENTA, YOKO))
    not_again = {"type": "operator", "not": {"type": "redelivery", "requestId": first}}
    not_yoko = {"type": "operator", "not": to(make_audience(line, YOKO))}

    start(line, recipient={"type": "operator", "and": [all_three, not_again, not_yoko]})
    line.call("POST", "/_emulator/clock", json={"advance_seconds": 2})

    assert [len(line.chat(one)) for one in (SAKURA, KENTA, YOKO)] == [1, 1, 0]


@pytest.mark.parametrize(
    ("demographic", "count"),
    [
        ({"type": "gender", "oneOf": ["female"]}, 120),
        ({"type": "age", "gte": "age_20", "lt": "age_30"}, 100),
        ({"type": "age", "gte": "age_30"}, 120),
        ({"type": "area", "oneOf": ["jp_13", "jp_27"]}, 100),
        ({"type": "appType", "oneOf": ["ios"]}, 100),
        ({"type": "subscriptionPeriod", "lt": "day_30"}, 0),
        ({"type": "subscriptionPeriod", "gte": "day_7", "lt": "day_90"}, 0),
        (
            {
                "type": "operator",
                "or": [
                    {"type": "gender", "oneOf": ["female"]},
                    {"type": "operator", "not": {"type": "age", "gte": "age_30"}},
                ],
            },
            220,
        ),
    ],
)
def test_filters_mean_people(line: Line, demographic: dict[str, Any], count: int) -> None:
    crowd(line, 100, gender="male", age="age_25", area="jp_13", app_type="ios")
    crowd(line, 120, gender="female", age="age_30", area="jp_01", app_type="android")
    with line.platform.change() as world:
        world.messaging_channel.minimum_reach = 0
    line.platform.clock.advance(40 * 86_400)
    request_id = start(line, filter={"demographic": demographic})
    line.platform.clock.advance(2)

    told = progress(line, request_id)

    if demographic["type"] == "subscriptionPeriod":
        expected = 220 if "gte" in demographic else 0
        assert told.get("targetCount", 0) == expected
    else:
        assert told["targetCount"] == count


def test_a_limit_caps_the_recipients(line: Line) -> None:
    crowd(line, 60)
    start(line, limit={"max": 55})
    line.platform.clock.advance(2)

    assert line.used() == 55


def test_a_narrowcast_may_go_as_far_as_the_quota(line: Line) -> None:
    crowd(line, 60)
    with line.platform.change() as world:
        world.messaging_channel.quota = 50
    up_to = {"upToRemainingQuota": True}
    whole = start(line, limit=up_to | {"forbidPartialDelivery": True})
    line.platform.clock.advance(2)
    assert progress(line, whole)["errorCode"] == 5

    part = start(line, limit=up_to)
    line.platform.clock.advance(2)
    assert progress(line, part)["successCount"] == 50


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {**TEXT, "recipient": {"type": "operator"}},
        {**TEXT, "recipient": {"type": "operator", "and": [], "or": []}},
        {**TEXT, "recipient": {"type": "audience", "audienceGroupId": "x"}},
        {**TEXT, "recipient": {"type": "operator", "and": [to(1)] * 11}},
        {**TEXT, "recipient": {"type": "redelivery"}},
        {**TEXT, "recipient": {"type": "redelivery", "requestId": "unknown"}},
        {**TEXT, "filter": {"demographic": {"type": "gender", "oneOf": ["x"]}}},
        {**TEXT, "filter": {"demographic": {"type": "age"}}},
        {**TEXT, "filter": {"demographic": {"type": "area", "oneOf": ["jp_48"]}}},
        {**TEXT, "limit": {"max": 0}},
        {**TEXT, "limit": {"forbidPartialDelivery": True}},
    ],
)
def test_what_is_no_narrowcast_is_refused(line: Line, body: dict[str, Any]) -> None:
    assert line.call("POST", NARROWCAST, json=body).status_code == 400
    assert line.platform.world.narrowcasts == {}
