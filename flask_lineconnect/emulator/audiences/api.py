"""Audiences: groups of users for narrowcasts, from uploads, clicks and impressions.

Source: Messaging API reference, "Manage Audience".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..platform import platform
from ..requests_in import is_user_id
from ..requests_in import json_body
from ..requests_in import number_in_query
from ..text_counts import utf16_units
from ..tokens.guard import messaging_api
from ..world import Audience
from ..world import AudienceJob
from ..world import SentRequest
from ..world import World
from .states import AUDIENCE_LIFE
from .states import status_of

MAX_AUDIENCES = 1_000
MAX_IDS, MAX_IDS_IN_FILE = 10_000, 1_500_000
MAX_NAME, MAX_URL, MAX_PAGE = 120, 2_000, 40
#: Click and impression audiences come of requests that are no older.
REQUEST_LIFE = timedelta(days=60)

audiences = messaging_api("audiences", "/v2/bot/audienceGroup")


@audiences.post("/upload")
def create() -> tuple[Response, int]:
    """Make an audience of uploaded user ids, also of none yet."""
    body = json_body()
    user_ids = _uploaded_ids(body, may_be_empty=True)
    is_ifa = body.get("isIfaAudience", False) is True
    audience = _add("UPLOAD", body, user_ids, is_ifa=is_ifa)
    return jsonify(_created_json(audience)), 202


@audiences.post("/upload/byFile")
def create_by_file() -> tuple[Response, int]:
    """Make an audience of a file of user ids, one a line."""
    audience = _add("UPLOAD", request.form.to_dict(), _file_ids())
    return jsonify(_created_json(audience)), 202


@audiences.put("/upload")
def extend() -> tuple[Response, int]:
    """Add user ids; none can be taken away again."""
    body = json_body()
    _extend(body.get("audienceGroupId"), body, _uploaded_ids(body, may_be_empty=False))
    return jsonify({}), 202


@audiences.put("/upload/byFile")
def extend_by_file() -> tuple[Response, int]:
    """Add the user ids of a file."""
    form = request.form.to_dict()
    given = form.get("audienceGroupId", "")
    _extend(int(given[:18]) if given.isdecimal() else None, form, _file_ids())
    return jsonify({}), 202


@audiences.post("/click")
def create_of_clicks() -> tuple[Response, int]:
    """Make an audience of who opened an address of a broadcast or narrowcast."""
    body = json_body()
    url = body.get("clickUrl")
    if url is not None and (not isinstance(url, str) or utf16_units(url) > MAX_URL):
        raise _refusal("invalid clickUrl", "AUDIENCE_GROUP_URL_WRONG")
    sent = _known_request(body)
    clicks = {one: who for one, who in sent.clicks.items() if url in {None, one}}
    users = sorted({user_id for who in clicks.values() for user_id in who})
    audience = _add("CLICK", body, users, request_id=sent.request_id, click_url=url)
    return jsonify(_created_json(audience)), 202


@audiences.post("/imp")
def create_of_impressions() -> tuple[Response, int]:
    """Make an audience of who saw a broadcast or narrowcast."""
    body = json_body()
    sent = _known_request(body)
    users = sorted({user_id for who in sent.seen.values() for user_id in who})
    audience = _add("IMP", body, users, request_id=sent.request_id)
    return jsonify(_created_json(audience)), 202


@audiences.put("/<int:audience_id>/updateDescription")
def rename(audience_id: int) -> Response:
    """Give an audience another name."""
    description = _name(json_body())
    with platform().change() as world:
        _audience(world, audience_id).description = description
    return jsonify({})


@audiences.delete("/<int:audience_id>")
def delete(audience_id: int) -> tuple[Response, int]:
    """Delete an audience."""
    with platform().change() as world:
        del world.audiences[_audience(world, audience_id).id]
    return jsonify({}), 202


@audiences.get("/<int:audience_id>")
def get(audience_id: int) -> Response:
    """Return one audience and its uploads."""
    with platform().lock:
        audience = _audience(platform().world, audience_id)
        jobs = [_job_json(audience, job) for job in audience.jobs]
        return jsonify(audienceGroup=_json(audience), jobs=jobs)


@audiences.get("/list")
def list_all() -> Response:
    """Return a page of the audiences, newest first."""
    page, size = number_in_query("page", 1, 2**31), number_in_query("size", 20, MAX_PAGE)
    name, status = request.args.get("description", ""), request.args.get("status")
    with platform().lock:
        found = [_json(one) for one in reversed(platform().world.audiences.values())]
    if request.args.get("createRoute", "MESSAGING_API") != "MESSAGING_API":
        found = []
    wanted = [one for one in found if name in one["description"]]
    wanted = [one for one in wanted if status in {None, one["status"]}]
    begin = (page - 1) * size
    return jsonify(
        audienceGroups=wanted[begin : begin + size],
        hasNextPage=begin + size < len(wanted),
        totalCount=len(wanted),
        readWriteAudienceGroupTotalCount=len(wanted),
        page=page,
        size=size,
    )


def _add(kind: Any, body: dict[str, Any], user_ids: list[str], **fields: Any) -> Audience:
    name, line = _name(body), platform()
    with line.change() as world:
        if len(world.audiences) >= MAX_AUDIENCES:
            raise _refusal("too many audiences", "AUDIENCE_GROUP_COUNT_MAX_OVER")
        world.last_audience_id += 1
        now = line.clock.now()
        audience = Audience(
            id=world.last_audience_id,
            type=kind,
            description=name,
            created_at=now,
            changed_at=now,
            **fields,
        )
        _upload(audience, body, user_ids)
        world.audiences[audience.id] = audience
    return audience


def _extend(audience_id: object, body: dict[str, Any], user_ids: list[str]) -> None:
    line = platform()
    with line.change() as world:
        audience = _audience(world, audience_id)
        if status_of(line, audience) == "EXPIRED":
            raise _refusal("expired", "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED")
        if audience.type != "UPLOAD":
            raise _refusal("not an upload audience", "AUDIENCE_GROUP_NOT_FOUND")
        _upload(audience, body, user_ids)


def _upload(audience: Audience, body: dict[str, Any], user_ids: list[str]) -> None:
    now = platform().clock.now()
    known = set(audience.user_ids)
    new = [one for one in dict.fromkeys(user_ids) if one not in known]
    audience.user_ids += new
    audience.changed_at = now
    if audience.type == "UPLOAD" and user_ids:
        note = str(body.get("uploadDescription") or "")
        job = AudienceJob(id=len(audience.jobs) + 1, description=note, added=len(new), at=now)
        audience.jobs.append(job)


def _uploaded_ids(body: dict[str, Any], *, may_be_empty: bool) -> list[str]:
    members = body.get("audiences", [])
    if not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise _refusal("invalid audience id", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
    return _checked_ids([one.get("id") for one in members], MAX_IDS, may_be_empty=may_be_empty)


def _file_ids() -> list[str]:
    file = request.files.get("file")
    text = file.read().decode("utf-8", "replace") if file is not None else ""
    ids: list[object] = [row.strip() for row in text.splitlines() if row.strip()]
    return _checked_ids(ids, MAX_IDS_IN_FILE, may_be_empty=False)


def _checked_ids(ids: list[object], most: int, *, may_be_empty: bool) -> list[str]:
    if len(ids) > most:
        raise _refusal("too many audience ids", "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS")
    if not ids and not may_be_empty:
        raise _refusal("no valid audience ids", "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS")
    good = [str(one) for one in ids if is_user_id(one)]
    if len(good) < len(ids):
        raise _refusal("invalid audience id", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
    return good


def _known_request(body: dict[str, Any]) -> SentRequest:
    line = platform()
    found = line.world.sent_requests.get(str(body.get("requestId")))
    if found is None or found.kind not in {"broadcast", "narrowcast"}:
        raise _refusal("request not found", "REQUEST_NOT_FOUND")
    if found.at + REQUEST_LIFE <= line.clock.now():
        raise _refusal("too old messages", "TOO_OLD_MESSAGES")
    return found


def _name(body: dict[str, Any]) -> str:
    name = body.get("description")
    if name is None or name == "":
        raise _refusal("audienceGroupName is empty", "AUDIENCE_GROUP_NAME_EMPTY")
    if not isinstance(name, str) or not name.isprintable():
        raise _refusal("audienceGroupName is wrong", "AUDIENCE_GROUP_NAME_WRONG")
    if utf16_units(name) > MAX_NAME:
        raise _refusal("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER")
    return name


def _audience(world: World, audience_id: object) -> Audience:
    found = world.audiences.get(audience_id) if isinstance(audience_id, int) else None
    if found is None:
        raise _refusal("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
    return found


def _refusal(message: str, code: str) -> ApiError:
    """Return an error; LINE documents the codes, and the words of one of them."""
    return ApiError(400, message, details=[{"message": code}])


def _created_json(audience: Audience) -> dict[str, Any]:
    fields = {
        "audienceGroupId": audience.id,
        "createRoute": "MESSAGING_API",
        "type": audience.type,
        "description": audience.description,
        "created": int(audience.created_at.timestamp()),
        "permission": "READ_WRITE",
        "expireTimestamp": int((audience.created_at + AUDIENCE_LIFE).timestamp()),
        "isIfaAudience": audience.is_ifa,
        "requestId": audience.request_id,
        "clickUrl": audience.click_url,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _json(audience: Audience) -> dict[str, Any]:
    status = status_of(platform(), audience)
    count = len(audience.user_ids)
    return _created_json(audience) | {"status": status, "audienceCount": count}


def _job_json(audience: Audience, job: AudienceJob) -> dict[str, Any]:
    is_done = status_of(platform(), audience) != "IN_PROGRESS"
    return {
        "audienceGroupJobId": job.id,
        "audienceGroupId": audience.id,
        "description": job.description,
        "type": "DIFF_ADD",
        "jobStatus": "FINISHED" if is_done else "WORKING",
        "audienceCount": job.added,
        "created": int(job.at.timestamp()),
    }
