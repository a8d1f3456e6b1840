"""Every call of the Messaging API but push and multicast (``sender.py``), by the official SDK.

The SDK is imported at the first call: its import costs close to a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from typing import Protocol
from typing import TypeAlias
from typing import TypeVar
from typing import overload

from ..config.hosts import LineHosts
from ..errors import InvalidMessage
from ..errors import LineApiError
from .calls import UNREADABLE
from .calls import LineCall
from .calls import note_call
from .request_ids import request_id_of

#: Calls one method of the SDK's client that is handed in; its answer has data and headers.
Call: TypeAlias = Callable[[Any], Any]
T = TypeVar("T")

#: A greater number of messages can't be stored, nor sent in a month.
MOST = 2**31 - 1
#: LINE's limit on the ids of one answer.
MOST_FOLLOWERS = 1_000


class ChannelToken(Protocol):
    """Where a channel access token comes from."""

    def get(self) -> str:
        """Return a living token."""

    def forget(self) -> None:
        """Note that LINE refused the token."""


@dataclass
class LineApi:
    """The Messaging API of one official account, and the LIFF server API of its login channel."""

    hosts: LineHosts
    messaging_token: ChannelToken
    login_token: ChannelToken
    timeout_seconds: float

    def reply(self, reply_token: str, messages: list[dict[str, Any]]) -> None:
        """Answer a webhook event; free of charge, once per reply token.

        :raises LineApiError: LINE refused, or did not answer.
        """
        request = _parsed(
            self._sdk.ReplyMessageRequest, {"replyToken": reply_token, "messages": messages}
        )
        self._call(
            "reply",
            lambda sdk: sdk.reply_message_with_http_info(request, **self._options),
        )

    def quota(self) -> tuple[int | None, int]:
        """Return how many messages this month may have, ``None`` for any number, and has had.

        LINE's count lags, and includes what was sent by hand.

        :raises LineApiError: LINE did not say.
        """
        granted = self._ask(
            "get the quota",
            lambda sdk: sdk.get_message_quota_with_http_info(**self._options),
            _granted,
        )
        used = self._ask(
            "get the quota's consumption",
            lambda sdk: sdk.get_message_quota_consumption_with_http_info(**self._options),
            lambda answer: _count(answer.total_usage),
        )
        return granted, used

    def set_webhook_endpoint(self, url: str) -> None:
        """Tell LINE where to send webhook events."""
        request = self._sdk.SetWebhookEndpointRequest(endpoint=url)
        self._call(
            "set webhook endpoint",
            lambda sdk: sdk.set_webhook_endpoint_with_http_info(request, **self._options),
        )

    def create_rich_menu(self, definition: dict[str, Any], image: bytes, content_type: str) -> str:
        """Create a rich menu with its image; both are immutable afterwards.

        :param content_type: ``image/png`` or ``image/jpeg``.
        :return: the rich menu's id.
        """
        request = _parsed(self._sdk.RichMenuRequest, definition)
        rich_menu_id = self._ask(
            "create rich menu",
            lambda sdk: sdk.create_rich_menu_with_http_info(request, **self._options),
            lambda answer: _word(answer.rich_menu_id),
        )
        self._call(
            "upload rich menu image",
            lambda sdk: sdk.set_rich_menu_image_with_http_info(
                rich_menu_id, image, _headers={"Content-Type": content_type}, **self._options
            ),
            blob=True,
        )
        return rich_menu_id

    def rich_menu_ids(self) -> set[str]:
        """Return the ids of all rich menus of the account that were made through the API."""
        return self._ask(
            "list rich menus",
            lambda sdk: sdk.get_rich_menu_list_with_http_info(**self._options),
            lambda answer: {_word(menu.rich_menu_id) for menu in answer.richmenus},
        )

    def set_default_rich_menu(self, rich_menu_id: str) -> None:
        """Show a rich menu to everybody who has none of their own."""
        self._call(
            "set default rich menu",
            lambda sdk: sdk.set_default_rich_menu_with_http_info(rich_menu_id, **self._options),
        )

    def delete_rich_menu(self, rich_menu_id: str) -> None:
        """Delete a rich menu."""
        self._call(
            "delete rich menu",
            lambda sdk: sdk.delete_rich_menu_with_http_info(rich_menu_id, **self._options),
        )

    def link_token(self, line_user_id: str) -> str:
        """Return a token that links one friend, once, for ten minutes."""
        return self._ask(
            "issue a link token",
            lambda sdk: sdk.issue_link_token_with_http_info(line_user_id, **self._options),
            lambda answer: _word(answer.link_token),
        )

    def profile(self, line_user_id: str) -> tuple[str, str | None] | None:
        """Return name and picture of a friend; ``None`` for anybody else.

        :raises LineApiError: LINE did not say.
        """
        try:
            return self._ask(
                "get a profile",
                lambda sdk: sdk.get_profile_with_http_info(line_user_id, **self._options),
                lambda answer: (_word(answer.display_name), answer.picture_url),
            )
        except LineApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def follower_ids(self, start: str | None) -> tuple[list[str], str | None]:
        """Return ids of friends, and the mark with which the list goes on; ``None`` at its end.

        LINE gives the list to verified and premium accounts, and refuses others with 403. A mark is
        good for a day.

        :param start: the mark; ``None``: from the beginning.
        """
        more = {} if start is None else {"start": start}
        return self._ask(
            "list followers",
            lambda sdk: sdk.get_followers_with_http_info(
                limit=MOST_FOLLOWERS, **more, **self._options
            ),
            lambda answer: ([_word(one) for one in answer.user_ids], answer.next),
        )

    def link_rich_menu(self, line_user_id: str, rich_menu_id: str) -> None:
        """Show one person a rich menu of their own."""
        self._call(
            "link rich menu",
            lambda sdk: sdk.link_rich_menu_id_to_user_with_http_info(
                line_user_id, rich_menu_id, **self._options
            ),
        )

    def unlink_rich_menu(self, line_user_id: str) -> None:
        """Take a person's own rich menu away; everybody's is shown again."""
        self._call(
            "unlink rich menu",
            lambda sdk: sdk.unlink_rich_menu_id_from_user_with_http_info(
                line_user_id, **self._options
            ),
        )

    def set_liff_endpoint(self, liff_id: str, url: str) -> None:
        """Set the address that a LIFF app opens."""
        request = _parsed(self._liff_sdk.UpdateLiffAppRequest, {"view": {"url": url}})
        self._call(
            "set LIFF endpoint",
            lambda sdk: sdk.update_liff_app_with_http_info(liff_id, request, **self._options),
            liff=True,
        )

    def load(self) -> None:
        """Import the SDK now, which takes most of a second, before anything waits for it."""
        _ = self._sdk

    @cached_property
    def _sdk(self) -> Any:
        """The SDK's module; ``Any`` because its calls are untyped behind ``with_http_info``."""
        from linebot.v3 import messaging

        return messaging

    @cached_property
    def _liff_sdk(self) -> Any:
        from linebot.v3 import liff

        return liff

    @property
    def _options(self) -> dict[str, Any]:
        return {"_request_timeout": self.timeout_seconds}

    def _client(self, *, blob: bool, liff: bool) -> Any:
        from .connections import bound_answers  # with the SDK, at the first call

        module = self._liff_sdk if liff else self._sdk
        token = self.login_token if liff else self.messaging_token
        host = self.hosts.api_data if blob else self.hosts.api
        configuration = module.Configuration(host=host, access_token=token.get())
        # The SDK's default would repeat a request and follow redirects by itself.
        configuration.retries = False
        client = module.ApiClient(configuration)
        bound_answers(client.rest_client.pool_manager)
        if liff:
            return module.Liff(client)
        return module.MessagingApiBlob(client) if blob else module.MessagingApi(client)

    def _call(self, what: str, call: Call, *, blob: bool = False, liff: bool = False) -> None:
        """Call LINE once, for what it does: its answer is not read."""
        self._ask(what, call, None, blob=blob, liff=liff)

    @overload
    def _ask(
        self, what: str, call: Call, read: Callable[[Any], T], *, blob: bool = ..., liff: bool = ...
    ) -> T: ...

    @overload
    def _ask(
        self, what: str, call: Call, read: None, *, blob: bool = ..., liff: bool = ...
    ) -> None: ...

    def _ask(
        self,
        what: str,
        call: Call,
        read: Callable[[Any], T] | None,
        *,
        blob: bool = False,
        liff: bool = False,
    ) -> T | None:
        """Call LINE once; return what was read from its answer.

        :raises LineApiError: LINE refused, did not answer, or its answer can't be read.
        """
        import urllib3

        exceptions = (self._liff_sdk if liff else self._sdk).exceptions
        sdk = self._client(blob=blob, liff=liff)
        call_to = _Call(what, time.monotonic())
        try:
            answer = call(sdk)
            request_id = request_id_of(answer.headers)
            found = None if read is None else read(answer.data)
        except exceptions.ApiException as error:
            refusal = call_to.refused(error, is_lines=liff or request_id_of(error.headers))
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                (self.login_token if liff else self.messaging_token).forget()
            raise refusal from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise call_to.failed("LINE did not answer", error) from None
        except UNREADABLE as error:
            came = getattr(sdk.api_client, "last_response", None)
            if came is None and not isinstance(error, UnicodeError):
                raise  # the SDK refuses what it was to send: a fault of ours
            request_id = None if came is None else request_id_of(came.getheaders())
            if read is not None or (request_id is None and not liff):
                raise call_to.failed("LINE's answer can't be read", error) from None
            found = None
        if request_id is None and not liff:
            # A proxy's page: LINE knows nothing of it.
            raise call_to.failed("an answer that is not LINE's") from None
        call_to.note(sdk.api_client.last_response.status, request_id)
        return found


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to LINE that was begun; each of its ends is noted once."""

    what: str
    began: float

    def note(self, status: int | None, request_id: str | None) -> None:
        note_call(LineCall(self.what, status, request_id, time.monotonic() - self.began))

    def failed(self, how: str, error: Exception | None = None) -> LineApiError:
        self.note(None, None)
        kind = "" if error is None else f", {type(error).__name__}"
        return LineApiError(f"{how}: {self.what}{kind}")

    def refused(self, error: Any, *, is_lines: object) -> LineApiError:
        if not is_lines:
            return self.failed("an answer that is not LINE's")
        request_id = request_id_of(error.headers)
        self.note(error.status, request_id)
        return LineApiError(
            f"LINE refused to {self.what}: {error.status}",
            status=error.status,
            request_id=request_id,
            answer=str(error.body or "")[:300],
        )


def _granted(answer: Any) -> int | None:
    """Return LINE's limit; ``None`` where there is none, which LINE says by another type."""
    if answer.type == "none":
        return None
    return _count(answer.value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise ValueError("no count")
    return value


def _word(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value


def _parsed(model: Any, payload: dict[str, Any]) -> Any:
    """Return the SDK's model of a request body.

    :raises InvalidMessage: the SDK's models refuse the body; says where.
    """
    try:
        return model.from_dict(payload)
    except ValueError as error:
        raise InvalidMessage(
            f"LINE would refuse this {model.__name__}: {_complaints(error)}"
        ) from None


def _complaints(error: ValueError) -> str:
    """Return what Pydantic complains of, without the values: logs may hold no message's text."""
    errors: Callable[..., Any] | None = getattr(error, "errors", None)
    if errors is None:
        return type(error).__name__
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in errors(include_input=False, include_url=False)
    )
