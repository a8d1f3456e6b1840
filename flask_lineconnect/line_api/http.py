"""How plain requests reach LINE: bounded, never redirected, over connections that are kept.

The machine's proxies and certificates are read once, not at every request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from requests.utils import select_proxy

from ..errors import LineApiError
from .connections import bound_answers
from .request_ids import request_id_of

#: LINE's answers to these requests have a few kB.
MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What LINE answered.

    :ivar content: empty unless it was a JSON object.
    :ivar is_readable: whether it was one, or nothing at all.
    :ivar request_id: of the Messaging API; ``None``: it is not from there.
    :ivar headers: without regard to case.
    :ivar text: of an answer that was no JSON object, for example a page.
    """

    status: int
    content: Mapping[str, Any]
    is_readable: bool = True
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)


class LineHttp:
    """Requests to one host of LINE's; one object serves all threads.

    :param origin: scheme and host, for example ``https://api.line.me``.
    """

    def __init__(self, origin: str, timeout_seconds: float):
        self._origin = origin
        self._timeout_seconds = timeout_seconds
        self._proxies = get_environ_proxies(origin)
        self._verify = requests.Session().merge_environment_settings(origin, {}, None, None, None)[
            "verify"
        ]
        self._adapter = _KeptAdapter()
        proxy = select_proxy(origin, self._proxies)
        certificates: dict[str, Any] = (
            {"ca_certs": self._verify} if isinstance(self._verify, str) else {}
        )
        self._pool = (
            urllib3.ProxyManager(proxy, **certificates)
            if proxy
            else urllib3.PoolManager(**certificates)
        )
        bound_answers(self._pool)

    @property
    def options(self) -> dict[str, Any]:
        """What each request of a session that Authlib makes needs."""
        return {"timeout": self._timeout_seconds, "allow_redirects": False}

    def equip(self, session: requests.Session) -> None:
        """Let a session of ``requests``, such as Authlib's, use the kept connections."""
        session.trust_env = False
        session.proxies = self._proxies
        session.verify = self._verify
        session.mount(self._origin, self._adapter)

    def ask(
        self,
        method: str,
        path: str,
        *,
        bearer: str | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """Send one request and return LINE's answer, whatever its status.

        :param bearer: an access token.
        :param form: sent form-encoded; ``body`` is sent as JSON.
        :raises LineApiError: LINE did not answer, or at too great length.
        """
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        data: str | None = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(form)
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        try:
            answer = self._pool.request(
                method,
                self._origin + path + (f"?{urlencode(query)}" if query else ""),
                body=data,
                headers=headers,
                timeout=self._timeout_seconds,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise LineApiError(f"LINE did not answer {path}: {type(error).__name__}") from None
        if len(content) > MAX_ANSWER_BYTES:
            answer.close()
            raise LineApiError(f"LINE's answer to {path} is too long")
        answer.release_conn()
        parsed = _object(content)
        is_readable = parsed is not None or not content.strip()
        text = "" if parsed is not None else content.decode(errors="replace")
        return Answer(
            answer.status,
            parsed or {},
            is_readable,
            request_id_of(answer.headers),
            answer.headers,
            text,
        )


def _object(content: bytes) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


class _KeptAdapter(HTTPAdapter):
    """Keeps connections when a session ends, and reads no more of an answer than is sane."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the connections."""
        super().init_poolmanager(*args, **kwargs)
        bound_answers(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        bound_answers(manager)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        answer = super().send(request, *args, **{**kwargs, "stream": True})
        chunks, length = [], 0
        for chunk in answer.iter_content(65_536):
            chunks.append(chunk)
            length += len(chunk)
            if length > MAX_ANSWER_BYTES:
                answer.close()
                raise requests.exceptions.ContentDecodingError("the answer is too long")
        # The place where requests itself keeps what it has read.
        answer._content = b"".join(chunks)
        return answer

    def close(self) -> None:
        """Stay open: the next session goes on with these connections."""
