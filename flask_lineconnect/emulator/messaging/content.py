"""What users sent beside text: images, videos, sounds and files, for the bot to download.

Source: Messaging API reference, "Get content".
"""

from __future__ import annotations

import base64

from flask import jsonify
from werkzeug.wrappers import Response

from ..api_errors import ApiError
from ..platform import platform
from ..tokens.guard import messaging_api
from ..world import Content

content = messaging_api("content", "/v2/bot/message")


@content.get("/<message_id>/content")
def download(message_id: str) -> Response:
    """Return the medium itself."""
    return content_response(_content(message_id))


@content.get("/<message_id>/content/preview")
def preview(message_id: str) -> Response:
    """Return a picture of it; an image is its own."""
    content = _content(message_id)
    if content.kind != "image":
        # A still of a video would need a decoder.
        raise ApiError(400, "The content can not be previewed")
    return content_response(content)


@content.get("/<message_id>/content/transcoding")
def transcoding(message_id: str) -> Response:
    """Tell that a video or sound is ready, which here it is at once."""
    if _content(message_id).kind not in {"video", "audio"}:
        raise ApiError(400, "Transcoding status doesn't support this type of content")
    return jsonify(status="succeeded")


def content_response(content: Content) -> Response:
    """Return a medium as a download; it is never a page of ours."""
    response = Response(base64.b64decode(content.base64), mimetype=content.type)
    response.headers["Content-Disposition"] = "attachment"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _content(message_id: str) -> Content:
    found = platform().world.contents.get(message_id)
    if found is None:
        raise ApiError(404, "not found")
    if found.is_gone:
        raise ApiError(410, "The content is gone")
    return found
