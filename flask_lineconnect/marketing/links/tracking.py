"""Put our own short addresses into messages, in the place of those that people can tap.

``rewriting.py`` finds the addresses, ``targets.py`` says which of them stay, ``stored.py`` keeps
where each leads, ``addresses.py`` signs. Next: ``clicks.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ...state import LineState
from .addresses import Code
from .addresses import LinkAddresses
from .rewriting import Found
from .rewriting import rewrite
from .stored import KnownLinks
from .stored import LinkOwner
from .stored import LinkWish
from .stored import make
from .targets import MAX_LABEL
from .targets import Stays
from .targets import opening_of
from .targets import shown
from .targets import with_utm

Messages = Sequence[Mapping[str, Any]]


def track(
    line: LineState,
    payloads: Messages,
    owner: LinkOwner,
    *,
    message_id: int | None = None,
    labels: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Return message objects whose addresses lead through the shop, inside the transaction.

    Other addresses than those of the web, LINE's own, and ours stay as they are, and so does
    everything that is not tapped.

    :param message_id: of the outbox's message that carries them to one person; without, the links
        are the same for all who get them.
    :param labels: what may be written down of what stands on links; all by default. What was
        written for one person has no place in a row that stays.
    """
    return Tracker(line, owner, labels).track(payloads, message_id)


class Tracker:
    """Lets the addresses in one owner's messages lead through the shop, one after the other.

    An address that stands at the same place in many messages is looked at once.

    :param labels: as for :func:`track`.
    """

    def __init__(self, line: LineState, owner: LinkOwner, labels: Collection[str] | None = None):
        self._line = line
        self._owner = owner
        self._labels = labels
        self._stays = stays(line)
        self._addresses = line.part(LinkAddresses)
        #: The number of an address's link, and how LINE opens it; ``None``: it stays.
        self._known: dict[Found, tuple[int, str] | None] = {}

    def track(self, payloads: Messages, message_id: int | None = None) -> list[dict[str, Any]]:
        """Return message objects as :func:`track` does, inside the transaction."""
        new: list[Found] = []

        def replace(found: Found) -> str:
            if found in self._known:
                return self.address(found, message_id)
            new.append(found)
            return found.address

        linked = rewrite(payloads, replace)
        if new:
            self.learn(new)
            linked = rewrite(payloads, replace)
        return linked

    def learn(self, new: Iterable[Found]) -> None:
        """Make the links of addresses that were not met before."""
        wishes = {found: self._wish(found) for found in new}
        wanted = [wish for wish in wishes.values() if wish is not None]
        line = self._line
        ids = make(line.session, line.part(KnownLinks), wanted, now=line.clock()) if wanted else {}
        for found, wish in wishes.items():
            self._known[found] = wish and (ids[wish.key], opening_of(found.address))

    def address(self, found: Found, message_id: int | None) -> str:
        """Return what stands in the place of an address that was met."""
        link = self._known[found]
        if link is None:
            return found.address
        link_id, opening = link
        return self._addresses.address(Code(link_id, message_id)) + opening

    def _wish(self, found: Found) -> LinkWish | None:
        if self._stays(found.address):
            return None
        target = with_utm(found.address, self._owner.utm)
        is_known = self._labels is None or found.label in self._labels
        label = found.label if is_known and found.label.strip() else shown(target)
        return LinkWish(self._owner, found.place, target, label[:MAX_LABEL])


def personalise(line: LineState, payloads: Messages, message_id: int) -> list[dict[str, Any]]:
    """Return message objects whose shared addresses of ours say in which message they stand."""
    addresses = line.part(LinkAddresses)

    def replace(found: Found) -> str:
        code = addresses.read_address(found.address)
        if code is None or code.message_id is not None:
            return found.address
        _ours, mark, opening = found.address.partition("?")
        return addresses.address(Code(code.link_id, message_id)) + mark + opening

    return rewrite(payloads, replace)


def link_to(line: LineState, target: str, owner: LinkOwner, *, label: str = "") -> str:
    """Return a tracked address for one target, such as a QR code's, inside the transaction.

    An address that is not tracked (see :func:`track`) is returned as it is.
    """
    tracker, found = Tracker(line, owner), Found("", target, label)
    tracker.learn([found])
    return tracker.address(found, None)


def shared_address(line: LineState, link_id: int) -> str:
    """Return the address of a link that many get."""
    return line.part(LinkAddresses).address(Code(link_id))


def personal_address(line: LineState, link_id: int, message_id: int) -> str:
    """Return the address of a link in the message for one person."""
    return line.part(LinkAddresses).address(Code(link_id, message_id))


def read_address(line: LineState, path: str) -> tuple[int, int | None] | None:
    """Return link and message of a code, or of a whole address of ours; ``None``: not ours."""
    addresses = line.part(LinkAddresses)
    if path.startswith(addresses.base):
        return addresses.read_address(path)
    return addresses.read(path.rpartition("/")[2])


def stays(line: LineState) -> Stays:
    """Return what tells which addresses stay as they are."""
    hosts = line.config.hosts
    ours = (hosts.access, hosts.api, hosts.liff, hosts.line_me)
    netlocs = {urlsplit(host).netloc.lower() for host in ours}
    return Stays(netlocs, line.part(LinkAddresses).base)
