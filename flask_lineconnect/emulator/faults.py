"""Faults that can be switched on: calls that fail, webhooks that go astray, logins that break."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Any
from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import model_validator

WebhookFault = Literal["duplicate", "late", "lost", "reorder"]

#: Of one of these a fault is known by what it disturbs.
_KINDS = ("path", "webhook", "auto_login", "id_token")


class Fault(BaseModel):
    """One fault, for a number of times or for a share of all times.

    A fault of calls has a ``path``, a fault of webhooks a ``webhook``, a fault of LINE Login an
    ``auto_login`` or an ``id_token``.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(default_factory=lambda: secrets.token_hex(4))
    #: A path of LINE's such as ``/v2/bot/message/push``, or its beginning and ``*``.
    path: str | None = Field(default=None, pattern="^/")
    method: Literal["DELETE", "GET", "POST", "PUT"] | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    #: Answer as if the month's quota were used up.
    quota: bool = False
    #: Close the connection instead of answering.
    drop: bool = False
    #: Wait before answering; of a late webhook, before sending.
    delay_seconds: float = Field(default=0, ge=0, le=600)
    #: Let the call have its effect first: whoever calls can't know whether it had.
    after_acceptance: bool = False
    webhook: WebhookFault | None = None
    #: The type of event whose webhooks are disturbed; of all types by default.
    event: str | None = None
    auto_login: Literal["fail"] | None = None
    #: Claims that the next ID token has instead of its own.
    id_token: dict[str, Any] | None = None
    times: int = Field(default=1, ge=1, le=1_000_000)
    #: Of all times, spread evenly, until the fault is switched off; instead of ``times``.
    share: float | None = Field(default=None, gt=0, le=1)

    _left: int = 0
    _due: float = 0.0

    def model_post_init(self, _context: Any) -> None:
        """Begin to count."""
        self._left = self.times

    @model_validator(mode="after")
    def _has_one_kind(self) -> Fault:
        if sum(getattr(self, kind) is not None for kind in _KINDS) != 1:
            raise ValueError(f"a fault has exactly one of {', '.join(_KINDS)}")
        if self.path is not None and not (self.quota or self.drop or self.delay_seconds):
            self.status = self.status or 500
        return self

    def happens(self) -> bool:
        """Count one time, and tell whether it is hit."""
        if self.share is None:
            self._left -= 1
            return True
        self._due += self.share
        is_hit = self._due >= 1 - 1e-9
        self._due -= is_hit
        return is_hit

    def is_over(self) -> bool:
        """Tell whether it hit as often as it should."""
        return self.share is None and self._left <= 0

    def left(self) -> int | None:
        """Return how often it will hit; ``None`` is always."""
        return self._left if self.share is None else None

    def is_for_call(self, method: str, path: str) -> bool:
        """Tell whether a call is one that it disturbs."""
        if self.path is None or self.method not in {None, method}:
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


class Faults:
    """The faults that are switched on, oldest first; safe between threads."""

    def __init__(self) -> None:
        self._all: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, **fields: Any) -> Fault:
        """Switch one on.

        :raises pydantic.ValidationError: the fields are those of no fault.
        """
        fault = Fault(**fields)
        with self._lock:
            self._all.append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Return those that are on."""
        with self._lock:
            return list(self._all)

    def remove(self, fault_id: str) -> bool:
        """Switch one off; tell whether it was on."""
        with self._lock:
            before = len(self._all)
            self._all = [fault for fault in self._all if fault.id != fault_id]
            return len(self._all) < before

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._all.clear()

    def of_call(self, method: str, path: str, *, after_acceptance: bool) -> Fault | None:
        """Return what disturbs a call now, before or after it had its effect."""
        return self._take(
            lambda fault: (
                fault.is_for_call(method, path) and fault.after_acceptance == after_acceptance
            )
        )

    def of_webhook(self, types: set[str]) -> Fault | None:
        """Return what disturbs a webhook with events of these types."""
        return self._take(lambda fault: fault.webhook is not None and fault.event in {None, *types})

    def of_auto_login(self) -> bool:
        """Tell whether auto login fails now."""
        return self._take(lambda fault: fault.auto_login is not None) is not None

    def of_id_token(self) -> dict[str, Any]:
        """Return the claims that this ID token has instead of its own."""
        fault = self._take(lambda fault: fault.id_token is not None)
        return {} if fault is None else fault.id_token or {}

    def _take(self, is_wanted: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in filter(is_wanted, self._all):
                if fault.happens():
                    if fault.is_over():
                        self._all.remove(fault)
                    return fault
        return None
