"""Requests to LINE that are fixed in the database, as a worker holds them in its hands."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Final

from ..line_api.sender import Kind
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..shop.adapter import OwnerNotice

#: The endpoint of a batch that goes to all friends of the official account.
BROADCAST: Final = "broadcast"

Model = type[OutboxMessage] | type[OutboxBatch]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to LINE; repeated, it is the same to the byte.

    :ivar row_id: of the message or the batch.
    :ivar claim: the number by which this worker may write to that row.
    :ivar is_uncertain: whether LINE may have taken an earlier try.
    :ivar first_tried_at: when this request was made first.
    :ivar until: when the claim ends: later the request is another worker's.
    :ivar to: JSON, a LINE user ID or a list of them.
    :ivar messages: JSON, LINE's message objects.
    :ivar unit: the name under which LINE counts it together with others.
    """

    kind: Kind
    row_id: int
    claim: int
    attempt: int
    is_uncertain: bool
    first_tried_at: datetime
    until: datetime
    to: str
    messages: str
    retry_key: str
    recipients: int
    quota_month: str
    campaign_id: int | None
    unit: str | None = None

    @property
    def model(self) -> Model:
        """The table in which its row is."""
        return OutboxMessage if self.kind == "push" else OutboxBatch

    @property
    def body(self) -> bytes:
        """What is posted to LINE."""
        to = "" if self.kind == BROADCAST else f'"to":{self.to},'
        # A broadcast takes none; LINE knows it by the id of its request.
        is_named = self.unit is not None and self.kind != BROADCAST
        unit = f',"customAggregationUnits":["{self.unit}"]' if is_named else ""
        return f'{{{to}"messages":{self.messages}{unit}}}'.encode()


@dataclass(slots=True)
class Claimed:
    """What one claim brought.

    :ivar count: rows that were looked at; 0 if nothing is due.
    """

    count: int = 0
    requests: list[Request] = field(default_factory=list)
    notices: list[OwnerNotice] = field(default_factory=list)
