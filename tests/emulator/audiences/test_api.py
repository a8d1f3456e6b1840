"""Audiences, with the official SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from linebot.v3 import audience
from linebot.v3.audience.exceptions import ApiException as AudienceException

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line
from ..crowds import GROUP
from ..crowds import make_audience

pytestmark = pytest.mark.usefixtures("stopped_clock")


def audiences(line: Line) -> audience.ManageAudience:
    configuration = audience.Configuration(host=line.host, access_token=line.token)
    return audience.ManageAudience(audience.ApiClient(configuration))


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
