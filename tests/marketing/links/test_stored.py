"""What a link may belong to, and what a process remembers of links."""

from __future__ import annotations

from datetime import datetime

import pytest

from flask_lineconnect import UsageError
from flask_lineconnect.marketing.links.stored import LinkOwner
from flask_lineconnect.marketing.links.stored import Remembered


def test_what_no_row_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="characters"):
        LinkOwner(source="a" * 101)
    with pytest.raises(UsageError, match="zone"):
        LinkOwner(expires_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(UsageError, match="utm_"):
        LinkOwner(utm={"source": "line"})


def test_a_process_remembers_the_last_ones() -> None:
    known: Remembered[int, int] = Remembered(most=3)
    for number in range(5):
        known.put({number: number})
    assert [known.get(number) for number in range(5)] == [None, None, 2, 3, 4]
