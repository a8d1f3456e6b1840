"""LINE's own list of an account's friends, which verified and premium accounts may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from ...errors import LineApiError
from ...errors import LineConnectError
from ...line_api.client import LineApi
from .id_files import USER_ID


class NotVerified(LineConnectError):
    """LINE does not give this account the list of its friends."""


def followers(api: LineApi) -> Iterator[str]:
    """Return the ids of all friends, asked for by the thousand as they are needed.

    :raises NotVerified: the account is none that LINE gives the list to.
    :raises LineApiError: LINE did not answer, or not with a list of friends.
    """
    start: str | None = None
    while True:
        try:
            ids, following = api.follower_ids(start)
        except LineApiError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                raise NotVerified(
                    "LINE gives the list of friends to verified and premium accounts only, and "
                    "this one is neither (403). Have it verified in LINE Official Account Manager, "
                    "or read the ids from a file: flask line friends import FILE"
                ) from None
            raise
        if any(not USER_ID.fullmatch(one) for one in ids) or (following and following == start):
            raise LineApiError("LINE's answer can't be read: list followers")
        yield from ids
        if not following:
            return
        start = following
