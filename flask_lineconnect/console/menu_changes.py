"""Rich menus are published, and brought back to what they were before."""

from __future__ import annotations

from datetime import timedelta

from werkzeug.wrappers import Response

from ..errors import ConfigError
from ..errors import Refused
from ..errors import UsageError
from ..rich_menus import releases
from ..state import current_line
from .audit import note
from .i18n import gettext as _
from .pages import go
from .pages import say

#: So long after a release everybody is taken to see it, and what was there two before is deleted.
SETTLED = timedelta(hours=1)


def publish_menus() -> Response:
    """Bring the menus to LINE as the shop's files say; the engine shows people theirs.

    :raises Refused: there are none, or one is wrong.
    :raises LineApiError: LINE refused, or did not answer; pressing again goes on from there.
    """
    line = current_line
    try:
        work = releases.plan(line)
        if not work.composed:
            raise Refused(_("公開するメニューがありません。"), step="menus")
        if not list(work.steps()):
            say(_("LINEのメニューは、もうこのとおりです。"))
            return go("menus")
        _make_room()
        note("menus-published", subject="menus")
        releases.sync(line, work)
    except (ConfigError, UsageError):
        raise Refused(
            _("メニューに直すところがあります。開発者にこの画面を見せてください。"), step="menus"
        ) from None
    line.engine.wake("upkeep")
    say(_("公開しました。みなさんの画面には、順に出ていきます。"))
    return go("menus")


def roll_back_menus() -> Response:
    """Let people see the menus from before again; the shop's files stay as they are.

    :raises Refused: there are none, or LINE has lost them.
    """
    line = current_line
    try:
        releases.rollback(line, lambda: note("menus-rolled-back", subject="menus"))
    except UsageError:
        raise Refused(_("前のメニューが残っていないため、戻せません。"), step="menus") from None
    line.engine.wake("upkeep")
    say(_("前の版に戻しました。みなさんの画面には、順に出ていきます。"))
    return go("menus")


def _make_room() -> None:
    line = current_line
    kept = releases.latest(line.session)
    if kept and kept[0].released_at < line.clock() - SETTLED:
        releases.retire(line)
