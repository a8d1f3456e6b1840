"""Rich menus linked and unlinked in batches."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from .making import make_menu


def batch(line: Line, *operations: dict[str, str], path: str = "batch") -> Any:
    return line.call("POST", f"/v2/bot/richmenu/{path}", json={"operations": list(operations)})


def test_C14_a_batch_moves_links(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    line.platform.clock.freeze(line.platform.clock.now())
    old, new = make_menu(line), make_menu(line)
    line.api.link_rich_menu_id_to_user(SAKURA, old)
    line.api.link_rich_menu_id_to_user(KENTA, new)

    # Swapped: an operation does not see what another one did.
    answer = batch(
        line,
        {"type": "link", "from": old, "to": new},
        {"type": "link", "from": new, "to": old},
    )

    assert (answer.status_code, answer.json()) == (202, {})
    users = line.platform.world.users
    assert [users[SAKURA].rich_menu_id, users[KENTA].rich_menu_id] == [new, old]
    progress = f"/v2/bot/richmenu/progress/batch?requestId={answer.headers['x-line-request-id']}"
    assert line.call("GET", progress).json()["phase"] == "ongoing"
    line.platform.clock.advance(1)
    assert line.call("GET", progress).json()["phase"] == "succeeded"


def test_C14_a_batch_takes_links_away(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    one, other = make_menu(line), make_menu(line)
    line.api.link_rich_menu_id_to_user(SAKURA, one)
    line.api.link_rich_menu_id_to_user(KENTA, other)

    assert batch(line, {"type": "unlink", "from": one}).status_code == 202
    users = line.platform.world.users
    assert [users[SAKURA].rich_menu_id, users[KENTA].rich_menu_id] == [None, other]
    assert batch(line, {"type": "unlinkAll"}).status_code == 202
    assert users[KENTA].rich_menu_id is None


@pytest.mark.parametrize("path", ["batch", "validate/batch"])
def test_C14_a_wrong_batch_changes_nothing(line: Line, path: str) -> None:
    line.befriend(SAKURA)
    line.platform.world.messaging_channel.rate_limit_scale = None
    used, bare = make_menu(line), make_menu(line, has_image=False)
    line.api.link_rich_menu_id_to_user(SAKURA, used)
    unlink = {"type": "unlink", "from": used}
    cases: list[tuple[list[dict[str, str]], int, str]] = [
        ([], 400, "Size must be between 1 and 1000"),
        ([{"type": "explode"}], 400, "Must be one of"),
        ([unlink, {"type": "unlinkAll"}], 400, "'unlinkAll' type can't be combined"),
        ([unlink, unlink], 400, f"from richmenu ({used}) is duplicated"),
        ([{"type": "link", "from": used, "to": bare}], 400, f"'to' richmenu ({bare}) must have"),
        ([{"type": "unlink", "from": "richmenu-x"}], 404, "Richmenu (richmenu-x) is not found"),
    ]
    for operations, status, text in cases:
        answer = batch(line, *operations, path=path)
        assert answer.status_code == status
        assert text in answer.json()["details"][0]["message"]

    assert line.platform.world.users[SAKURA].rich_menu_id == used
    assert line.platform.world.rich_menu_batches == {}
