"""Start a LINE emulator, and play its users through its control pages.

For tests and demos; it meets the emulator over HTTP only.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Protocol

import requests

from ..errors import UsageError
from .browser import LineBrowser

#: Seconds that an emulator may take to start.
START_TIMEOUT = 60.0
REQUEST_TIMEOUT = 60.0
#: Of the Messaging API channel: a webhook that a busy machine could not store comes again.
COMES_AGAIN = {"redelivery": True, "redelivery_count": 10, "redelivery_seconds": 1.0}
#: How often a journey may stop: more often than anything happens in a year.
MAX_STOPS = 20_000


class Traveller(Protocol):
    """A shop whose clock goes by LINE's; see ``time_machine.py``."""

    def follow(self, now: datetime, *, is_stopped: bool) -> None:
        """Let it be the time that it is for LINE."""

    def work(self) -> None:
        """Do what is due on the way."""

    def arrive(self) -> None:
        """Do what is due at the end of the way, tidying up included."""

    def next_due(self) -> datetime | None:
        """Return when something is due next, after now."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running LINE emulator, driven through its control pages.

    :ivar url: its origin, for ``LINECONNECT_EMULATOR_URL``.
    :ivar travellers: the shops that travel in time with it.
    """

    url: str
    travellers: list[Traveller] = field(default_factory=list, repr=False, compare=False)

    def settings(self, base_url: str) -> dict[str, str]:
        """Return the settings of a shop at ``base_url`` for the channels of this emulator."""
        state = self._get("/_emulator/state")
        login, messaging = state["login_channel"], state["messaging_channel"]
        return {
            "LINECONNECT_EMULATOR_URL": self.url,
            "LINECONNECT_BASE_URL": base_url,
            "LINECONNECT_LOGIN_CHANNEL_ID": login["id"],
            "LINECONNECT_LOGIN_CHANNEL_SECRET": login["secret"],
            "LINECONNECT_MESSAGING_CHANNEL_ID": messaging["id"],
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": messaging["secret"],
            "LINECONNECT_BASIC_ID": messaging["basic_id"],
            "LINECONNECT_LIFF_ID": state["liff_apps"][0]["liff_id"],
        }

    def reset(self) -> None:
        """Forget everything that happened since the start."""
        self._post("/_emulator/reset")
        self.tell_time()

    def set_up(self, **setup: Any) -> None:
        """Change the platform's setup, for example ``base_url="http://127.0.0.1:5000"``."""
        self._send("PUT", "/_emulator/setup", setup)

    def add_user(self, display_name: str, **fields: str) -> str:
        """Add a LINE user; return the LINE user id."""
        user = self._post("/_emulator/users", {"display_name": display_name, **fields})
        return str(user["user_id"])

    def users(self) -> list[dict[str, Any]]:
        """Return all LINE users."""
        users = self._get("/_emulator/users")
        return list(users["users"] if isinstance(users, dict) else users)

    def browser(self, user_id: str) -> LineBrowser:
        """Return a browser in which a user logs in to LINE or opens LIFF pages."""
        return LineBrowser(self.url, user_id)

    def add_friend(self, user_id: str) -> None:
        """Let a user add the official account."""
        self._post(f"/_emulator/users/{user_id}/friend")

    def block(self, user_id: str) -> None:
        """Let a user block the official account."""
        self._post(f"/_emulator/users/{user_id}/block")

    def unblock(self, user_id: str) -> None:
        """Let a user unblock the official account."""
        self._post(f"/_emulator/users/{user_id}/unblock")

    def write(self, user_id: str, text: str) -> None:
        """Let a user write into the chat."""
        self._post(f"/_emulator/users/{user_id}/text", {"text": text})

    def postback(self, user_id: str, data: str, params: dict[str, str] | None = None) -> None:
        """Let a user tap a button that carries ``data``.

        :param params: what a date or time picker chose, for example ``{"date": "2026-08-14"}``.
        """
        body = {"data": data} | ({"params": params} if params else {})
        self._post(f"/_emulator/users/{user_id}/postback", body)

    def tap(self, user_id: str, area: int = 0) -> str | None:
        """Let a user tap an area of the rich menu; return the address that it opens, if any."""
        answer: dict[str, str] = self._post(f"/_emulator/users/{user_id}/tap", {"area": area})
        return answer.get("uri")

    def send_sticker(self, user_id: str, package_id: str = "446", sticker_id: str = "1988") -> str:
        """Let a user send a sticker; return the message id."""
        return self._send_message(
            user_id, "sticker", {"package_id": package_id, "sticker_id": sticker_id}
        )

    def send_location(self, user_id: str, latitude: float, longitude: float, **texts: str) -> str:
        """Let a user send a place, perhaps with ``title`` and ``address``; return its id."""
        place = {"latitude": latitude, "longitude": longitude, **texts}
        return self._send_message(user_id, "location", place)

    def send_media(self, user_id: str, kind: str, content: bytes, **fields: str | int) -> str:
        """Let a user send a medium; return the message id.

        :param kind: ``image``, ``video``, ``audio`` or ``file``.
        :param content: at most 1.5 MB.
        :param fields: ``type`` such as ``image/png``; ``name`` of a file; ``duration`` in
            milliseconds of a video or sound.
        """
        body = {"base64": base64.b64encode(content).decode(), **fields}
        return self._send_message(user_id, kind, body)

    def unsend(self, user_id: str, message_id: str) -> None:
        """Let a user take a message back."""
        self._post(f"/_emulator/users/{user_id}/unsend", {"message_id": message_id})

    def revoke(self, user_id: str) -> None:
        """Let a user unlink the shop in LINE's settings: consent and tokens end, no webhook."""
        self._post(f"/_emulator/users/{user_id}/revoke")

    def close_liff(self, user_id: str) -> None:
        """Let a user close a LIFF page in the LINE app: its access token is revoked."""
        self._post(f"/_emulator/users/{user_id}/close-liff")

    def chat(self, user_id: str) -> list[dict[str, Any]]:
        """Return a user's chat with the official account, oldest first."""
        return list(self._get(f"/_emulator/users/{user_id}/chat")["messages"])

    def received(self, user_id: str) -> list[dict[str, Any]]:
        """Return the message objects that the official account sent to a user, oldest first."""
        return [entry["message"] for entry in self.chat(user_id) if entry["from"] == "bot"]

    def wait_for_message(
        self, user_id: str, containing: str, *, timeout: float = 60.0
    ) -> dict[str, Any]:
        """Return the newest message to a user that contains a text, as soon as it is there.

        :raises AssertionError: it did not come within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for message in reversed(self.received(user_id)):
                if containing in str(message):
                    return dict(message)
            time.sleep(0.05)
        raise AssertionError(f"no message with {containing!r}; got {self.received(user_id)!r}")

    def calls(self) -> list[dict[str, Any]]:
        """Return the API calls that the emulator saw, oldest first."""
        return list(self._get("/_emulator/calls")["calls"])

    def webhooks(self) -> list[dict[str, Any]]:
        """Return the webhooks that the emulator sent, with their outcome."""
        return list(self._get("/_emulator/webhooks")["webhooks"])

    def now(self) -> datetime:
        """Return LINE's time, aware, UTC."""
        return datetime.fromisoformat(self._get("/_emulator/clock")["now"])

    def tell_time(self) -> None:
        """Let the shops that travel along know LINE's time."""
        self._tell(self._get("/_emulator/clock"))

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self._set_clock(advance_seconds=seconds)

    def travel(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, to: datetime | None = None
    ) -> None:
        """Move LINE's clock forward, and with it those of the shops that travel along.

        They do on the way what becomes due, each at its time; see the fixture ``line_clock``.

        :param to: an aware time, instead of how far.
        :raises UsageError: it is past, or a shop has something to do again and again.
        """
        far = timedelta(days=days, hours=hours, minutes=minutes)
        begin = self.now()
        goal = begin + far if to is None else to
        if goal < begin:
            raise UsageError(f"LINE's clock is at {begin:%Y-%m-%d %H:%M}, and goes forward only")
        for _stop in range(MAX_STOPS):
            for traveller in self.travellers:
                traveller.work()
            stops = [stop for one in self.travellers if (stop := one.next_due()) is not None]
            stop = min(stops, default=goal)
            if stop >= goal:
                break
            self._go_to(stop)
        else:
            raise UsageError(
                f"after {MAX_STOPS:,} stops it is {self.now():%Y-%m-%d %H:%M}, and something is "
                "due again: travel less far at a time"
            )
        self._go_to(goal)
        for traveller in self.travellers:
            traveller.arrive()

    def freeze(self, at: datetime) -> None:
        """Stop the emulator's clock at an aware time."""
        self._set_clock(freeze=at.isoformat())

    def unfreeze(self) -> None:
        """Let the emulator's clock tell the real time again."""
        self._set_clock(unfreeze=True)

    def send_events(
        self,
        *events: dict[str, Any],
        destination: str | None = None,
        signature: str | None = None,
    ) -> None:
        """Send one webhook with any events.

        :param events: each with a ``type``, and ``user_id`` or ``source``; the other common fields
            are filled in unless they are given.
        :param destination: instead of the bot's own user id.
        :param signature: instead of the right one.
        """
        special = {"destination": destination, "signature": signature}
        given = {name: value for name, value in special.items() if value is not None}
        self._post("/_emulator/events", {"events": list(events), **given})

    def fault(self, **fault: Any) -> str:
        """Switch a fault on, for example ``path="/v2/bot/message/push", status=500, times=1``.

        :return: its id, for :meth:`remove_fault`.
        """
        return str(self._post("/_emulator/faults", fault)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are on."""
        return list(self._get("/_emulator/faults")["faults"])

    def remove_fault(self, fault_id: str) -> None:
        """Switch a fault off."""
        self._send("DELETE", f"/_emulator/faults/{fault_id}", None)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._send("DELETE", "/_emulator/faults", None)

    def long_lived_token(self) -> str:
        """Return a new long-lived channel access token; the one before it ends."""
        return str(self._post("/_emulator/long-lived-token")["access_token"])

    def rotate_keys(self, keep_seconds: float = 0) -> None:
        """Let ID tokens of LIFF be signed with a new key, and forget the old one later."""
        self._post("/_emulator/keys/rotate", {"keep_seconds": keep_seconds})

    def _go_to(self, at: datetime) -> None:
        # Work takes time, too: the clock may be past it.
        if at > self.now():
            self._set_clock(to=at.isoformat())

    def _set_clock(self, **change: Any) -> None:
        self._tell(self._post("/_emulator/clock", change))

    def _tell(self, clock: dict[str, Any]) -> None:
        now = datetime.fromisoformat(clock["now"])
        for traveller in self.travellers:
            traveller.follow(now, is_stopped=clock["is_stopped"])

    def _send_message(self, user_id: str, kind: str, body: dict[str, Any]) -> str:
        return str(self._post(f"/_emulator/users/{user_id}/{kind}", body)["message_id"])

    def _get(self, path: str) -> Any:
        return self._send("GET", path, None)

    def _post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._send("POST", path, body or {})

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        answer = requests.request(method, self.url + path, json=body, timeout=REQUEST_TIMEOUT)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def run_emulator(port: int | None = None, *arguments: str) -> Iterator[Emulator]:
    """Run an emulator in a process of its own until the block ends.

    :param port: of the loopback address; a free one by default.
    :param arguments: further options of ``python -m flask_lineconnect.emulator``.
    :raises UsageError: it did not start.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "flask_lineconnect.emulator", "--port", str(port)]
    # It holds the other end of a pipe: if we die without a word, it ends too.
    process = subprocess.Popen(
        [*command, "--until-eof", *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    emulator = Emulator(f"http://127.0.0.1:{port}")
    try:
        _wait_until_healthy(emulator, process)
        yield emulator
    finally:
        process.terminate()
        process.communicate(timeout=REQUEST_TIMEOUT)


def free_port() -> int:
    """Return a TCP port of the loopback address that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{emulator.url}/_emulator/health", timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise UsageError(
        "the LINE emulator did not start; run `python -m flask_lineconnect.emulator` to see why"
    )
