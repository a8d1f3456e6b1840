"""Narrowcasts, audiences, and the figures that come of deliveries."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
from linebot.v3 import audience
from linebot.v3 import insight
from linebot.v3.audience.exceptions import ApiException as AudienceException

from flask_lineconnect.emulator.world import User

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line

NARROWCAST = "/v2/bot/message/narrowcast"
TEXT = {"messages": [{"type": "text", "text": "や"}]}
GROUP = "/v2/bot/audienceGroup"


@pytest.fixture(autouse=True)
def _stopped(line: Line) -> None:
    """Stop the clock, so that waiting ends when the test says so."""
    line.platform.clock.freeze(datetime(2026, 8, 14, 3, 0, tzinfo=UTC))


def audiences(line: Line) -> audience.ManageAudience:
    configuration = audience.Configuration(host=line.host, access_token=line.token)
    return audience.ManageAudience(audience.ApiClient(configuration))


def insights(line: Line) -> insight.Insight:
    configuration = insight.Configuration(host=line.host, access_token=line.token)
    return insight.Insight(insight.ApiClient(configuration))


def crowd(line: Line, count: int, **fields: Any) -> list[str]:
    """Add friends; return their ids."""
    now = line.platform.clock.now()
    users = [
        User(display_name=f"{n}", relation="friend", befriended_at=now, **fields)
        for n in range(count)
    ]
    with line.platform.change() as world:
        world.users |= {user.user_id: user for user in users}
    return [user.user_id for user in users]


def make_audience(line: Line, *user_ids: str, is_ready: bool = True) -> int:
    members = [{"id": user_id} for user_id in user_ids]
    body = {"description": "会員", "audiences": members}
    answer = line.call("POST", f"{GROUP}/upload", json=body)
    assert answer.status_code == 202, answer.text
    if is_ready:
        line.platform.clock.advance(2)
    return int(answer.json()["audienceGroupId"])


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


def test_M24_an_audience_is_ready_after_a_while(line: Line) -> None:
    api, members = audiences(line), [audience.Audience(id=SAKURA), audience.Audience(id=STRANGER)]
    made = api.create_audience_group(
        audience.CreateAudienceGroupRequest(
            description="会員", audiences=members, isIfaAudience=False, uploadDescription="四月"
        )
    )
    assert made.audience_group_id is not None
    busy = api.get_audience_data(made.audience_group_id)
    line.platform.clock.advance(2)
    ready = api.get_audience_data(made.audience_group_id)

    assert busy.audience_group is not None
    assert ready.audience_group is not None
    assert [busy.audience_group.status, ready.audience_group.status] == ["IN_PROGRESS", "READY"]
    assert ready.audience_group.audience_count == 2
    assert ready.jobs is not None
    assert [(job.description, job.job_status) for job in ready.jobs] == [("四月", "FINISHED")]


def test_M24_an_empty_audience_is_never_ready(line: Line) -> None:
    audience_id = make_audience(line)
    line.platform.clock.advance(86_400)

    told = line.call("GET", f"{GROUP}/{audience_id}").json()

    assert told["audienceGroup"]["status"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"description": ""}, "AUDIENCE_GROUP_NAME_EMPTY"),
        ({"description": "あ\n"}, "AUDIENCE_GROUP_NAME_WRONG"),
        ({"description": "あ" * 121}, "AUDIENCE_GROUP_NAME_SIZE_OVER"),
        (
            {"description": "会員", "audiences": [{"id": SAKURA}, {"id": "U1"}]},
            "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT",
        ),
        (
            {"description": "会員", "audiences": [{"id": SAKURA}] * 10_001},
            "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS",
        ),
    ],
)
def test_M24_what_is_no_audience_is_refused(line: Line, body: dict[str, Any], code: str) -> None:
    answer = line.call("POST", f"{GROUP}/upload", json=body)

    assert answer.status_code == 400
    assert answer.json()["details"] == [{"message": code}]
    assert line.platform.world.audiences == {}


def test_an_audience_grows_is_renamed_expires_and_goes(line: Line) -> None:
    api, audience_id = audiences(line), make_audience(line, SAKURA)
    api.add_audience_to_audience_group(
        audience.AddAudienceToAudienceGroupRequest(
            audienceGroupId=audience_id,
            audiences=[audience.Audience(id=KENTA), audience.Audience(id=SAKURA)],
            uploadDescription=None,
        )
    )
    api.update_audience_group_description(
        audience_id, audience.UpdateAudienceGroupDescriptionRequest(description="常連")
    )
    found = api.get_audience_groups(page=1, description="常", size=40).audience_groups
    assert found is not None
    assert [(one.description, one.audience_count) for one in found] == [("常連", 2)]

    line.advance(180 * 86_400)
    told = line.call("GET", f"{GROUP}/{audience_id}").json()
    assert told["audienceGroup"]["status"] == "EXPIRED"
    api = audiences(line)
    api.delete_audience_group(audience_id)
    with pytest.raises(AudienceException) as gone:
        api.get_audience_data(audience_id)
    assert json.loads(gone.value.body)["details"] == [{"message": "AUDIENCE_GROUP_NOT_FOUND"}]


def test_an_audience_of_a_file(line: Line) -> None:
    files = {"file": ("ids.txt", f"{SAKURA}\n{KENTA}\n", "text/plain")}
    answer = line.call("POST", f"{GROUP}/upload/byFile", data={"description": "名簿"}, files=files)
    assert answer.status_code == 202, answer.text
    audience_id = answer.json()["audienceGroupId"]
    more = {"file": ("ids.txt", YOKO, "text/plain")}
    form = {"audienceGroupId": audience_id}
    assert line.call("PUT", f"{GROUP}/upload/byFile", data=form, files=more).status_code == 202

    told = line.call("GET", f"{GROUP}/{audience_id}").json()

    assert told["audienceGroup"]["audienceCount"] == 3


def test_audiences_of_clicks_and_impressions(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    url = "https://shop.example/sale"
    message = {"type": "text", "text": "や"} | {
        "quickReply": {
            "items": [{"type": "action", "action": {"type": "uri", "label": "見る", "uri": url}}]
        }
    }
    sent = line.call("POST", "/v2/bot/message/broadcast", json={"messages": [message]})
    request_id = sent.headers["x-line-request-id"]
    phone = {"Origin": line.host}
    line.call("POST", f"/phone/{KENTA}/read", json={}, headers=phone)
    opened = f"/phone/{SAKURA}/open?url={url}"
    line.call("GET", opened, allow_redirects=False)

    body = {"description": "見た人", "requestId": request_id}
    seen = line.call("POST", f"{GROUP}/imp", json=body).json()
    clicked = line.call("POST", f"{GROUP}/click", json=body | {"clickUrl": url}).json()

    members = line.platform.world.audiences
    assert members[seen["audienceGroupId"]].user_ids == [KENTA]
    assert members[clicked["audienceGroupId"]].user_ids == [SAKURA]
    unknown = line.call("POST", f"{GROUP}/imp", json=body | {"requestId": "x"})
    assert unknown.json()["details"] == [{"message": "REQUEST_NOT_FOUND"}]


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


def test_M26_followers_of_a_verified_account(line: Line) -> None:
    friends = crowd(line, 5)
    with line.platform.change() as world:
        world.messaging_channel.is_verified = True

    first = line.api.get_followers(limit=3)
    second = line.api.get_followers(limit=3, start=first.next)

    assert [*first.user_ids, *second.user_ids] == friends
    assert second.next is None
    bad = line.call("GET", "/v2/bot/followers/ids?start=nonsense")
    assert (bad.status_code, bad.json()) == (400, {"message": "Invalid start param"})
