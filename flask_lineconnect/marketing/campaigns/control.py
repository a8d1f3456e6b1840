"""What a shop does with its campaigns: ``line.campaigns.begin("autumn")``.

The rules are in ``planning.py``, which loads what most of a shop's requests never need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from ...state import current_line

if TYPE_CHECKING:
    from ...models import CampaignPlan
    from ..scenarios.checking import Problem
    from .estimating import Estimation


class CampaignControl:
    """Plans campaigns, begins, pauses, resumes, cancels and copies them.

    All of it is done inside the caller's transaction. A name is that of a plan, or of a campaign
    that a blueprint declares.
    """

    def plan(self, name: str, *, after: int | None = None, **definition: Any) -> CampaignPlan:
        """Write a campaign down as a draft, or change one that has not begun.

        :param after: the version that was read before; another one's change is not overwritten.
        :param definition: ``label``, ``to``, ``message`` and others, in the words that a TOML file
            has; without any, as a blueprint declares it now.
        :raises UsageError: it can't be read, has begun, or was changed by somebody else meanwhile.
        """
        from .declared import Campaigns
        from .planning import save_plan
        from .reading import read_campaign

        line = current_line
        wanted = read_campaign(name, definition) if definition else line.part(Campaigns).get(name)
        return save_plan(line, wanted, after=after)

    def check(self, name: str) -> Sequence[Problem]:
        """Return what is wrong with a campaign; nothing: it can begin."""
        from .checking import check_campaign
        from .planning import definition_of
        from .planning import plan_named

        return check_campaign(current_line, definition_of(plan_named(current_line, name)))

    def estimate(self, name: str) -> Estimation:
        """Say whom a campaign would reach now, who falls out and why, and what it would cost.

        :raises UsageError: what it asks for is gone.
        """
        from .estimating import estimate_campaign
        from .planning import definition_of
        from .planning import plan_named

        return estimate_campaign(current_line, definition_of(plan_named(current_line, name)))

    def begin(self, name: str) -> CampaignPlan:
        """Let a campaign begin: at its time, or now if it has none; begun again, nothing changes.

        :raises UsageError: something is wrong with it, or it has ended.
        """
        from .planning import let_go

        return let_go(current_line, name)

    def pause(self, name: str) -> None:
        """Let nothing of a campaign begin or be sent, until it is resumed.

        :raises UsageError: nothing of it runs.
        """
        from .planning import pause

        pause(current_line, name)

    def resume(self, name: str) -> None:
        """Let a paused campaign go on.

        :raises UsageError: it is not paused.
        """
        from .planning import resume

        resume(current_line, name)

    def cancel(self, name: str) -> None:
        """End a campaign; what LINE has not got is not sent.

        :raises UsageError: it has ended.
        """
        from .planning import cancel

        cancel(current_line, name)

    def copy(self, name: str, new_name: str) -> CampaignPlan:
        """Write a campaign down once more, as a draft under another name, without its time.

        :raises UsageError: the new name is taken, or can't be one.
        """
        from .planning import copy_plan

        return copy_plan(current_line, name, new_name)

    def test(self, name: str, members: Sequence[Any]) -> int:
        """Send all of a campaign's variants to these members alone; return how many messages.

        :param members: keys of members, for example of staff.
        :raises UsageError: one is not linked, or a message can't be written for them.
        """
        from .planning import definition_of
        from .planning import plan_named
        from .testing import send_test

        return send_test(current_line, definition_of(plan_named(current_line, name)), members)
