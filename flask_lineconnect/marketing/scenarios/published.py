"""The scenarios that were published, each as the version that new runs get, and older versions.

Versions never change, so a process reads each once.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import select

from ...models import PublishedScenario
from ...models import ScenarioVersion
from ...state import LineState
from .definition import Scenario
from .reading import read_scenario

#: In ``Session.info``: the published scenarios, and the transaction in which they were read.
_READ = "lineconnect_published"


@dataclass(frozen=True, slots=True)
class Published:
    """One version of a published scenario.

    :ivar id: of the scenario.
    :ivar state: of the scenario: ``running``, ``paused`` or ``stopped``.
    :ivar number: of the version.
    """

    id: int
    name: str
    state: str
    version_id: int
    number: int
    scenario: Scenario
    digest: str


@dataclass(slots=True)
class Definitions:
    """What this process has read of versions, by their id and digest."""

    scenarios: dict[tuple[int, str], Scenario] = field(default_factory=dict)
    #: What else is made of a version once, by whoever makes it.
    made: dict[tuple[str, int, str], Any] = field(default_factory=dict)


def all_published(line: LineState) -> Sequence[Published]:
    """Return all published scenarios, each as its current version; one query in a transaction."""
    session = line.session
    transaction = session.connection().get_transaction()
    kept = session.info.get(_READ)
    if kept is not None and kept[0] is transaction:
        found: Sequence[Published] = kept[1]
        return found
    is_current = ScenarioVersion.number == PublishedScenario.version
    rows = session.execute(_versions().where(is_current)).all()
    found = _read(line, rows)
    session.info[_READ] = (transaction, found)
    return found


def published_of(line: LineState, row: PublishedScenario) -> Published:
    """Return the current version of one scenario."""
    is_it = and_(PublishedScenario.id == row.id, ScenarioVersion.number == row.version)
    (found,) = _read(line, line.session.execute(_versions().where(is_it)).all())
    return found


def versions_of(line: LineState, version_ids: Sequence[int]) -> Mapping[int, Published]:
    """Return versions by their ids, whatever their scenarios' current ones are."""
    if not version_ids:
        return {}
    rows = line.session.execute(_versions().where(ScenarioVersion.id.in_(set(version_ids)))).all()
    return {one.version_id: one for one in _read(line, rows)}


def definition_of(line: LineState, version_id: int) -> Scenario:
    """Return what one version says."""
    return versions_of(line, [version_id])[version_id].scenario


def forget_read(line: LineState) -> None:
    """Read them anew in this transaction, in which they were changed."""
    line.session.info.pop(_READ, None)


def _versions() -> Select[Any]:
    columns: list[Any] = [
        PublishedScenario.id,
        PublishedScenario.name,
        PublishedScenario.state,
        ScenarioVersion.id.label("version_id"),
        ScenarioVersion.number,
        ScenarioVersion.digest,
    ]
    statement = select(*columns).order_by(PublishedScenario.name)
    return statement.join_from(
        PublishedScenario, ScenarioVersion, ScenarioVersion.scenario_id == PublishedScenario.id
    )


def _read(line: LineState, rows: Sequence[Row[Any]]) -> Sequence[Published]:
    known = line.part(Definitions).scenarios
    missing = {row.version_id: row for row in rows if (row.version_id, row.digest) not in known}
    if missing:
        definitions = select(ScenarioVersion.id, ScenarioVersion.definition)
        for version_id, definition in line.session.execute(
            definitions.where(ScenarioVersion.id.in_(missing))
        ):
            row = missing[version_id]
            known[version_id, row.digest] = read_scenario(row.name, definition)
    return [
        Published(
            row.id,
            row.name,
            row.state,
            row.version_id,
            row.number,
            known[row.version_id, row.digest],
            row.digest,
        )
        for row in rows
    ]
