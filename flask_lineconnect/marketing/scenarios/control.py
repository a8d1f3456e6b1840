"""What a shop does with its scenarios: ``line.scenarios.publish("cart")``.

The rules are in ``publishing.py``, which loads what most of a shop's requests never need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...state import current_line

if TYPE_CHECKING:
    from .publishing import Enrol


class ScenarioControl:
    """Publishes the shop's scenarios, pauses, resumes and stops them.

    All of it is done inside the caller's transaction.
    """

    def publish(self, name: str, *, enrol: Enrol | None = None) -> int:
        """Let a declared scenario run as it is now; one that was paused or stopped runs again.

        :param enrol: who of those already there goes by this version: ``"nobody"``, ``"all"`` or
            ``"from-now"``; needed where a segment begins it, or an earlier version is replaced.
        :return: the number of its version, the same where nothing has changed.
        :raises UsageError: something is wrong with the scenario, or ``enrol`` is missing.
        """
        from .publishing import publish

        return publish(current_line, name, enrol=enrol).number

    def pause(self, name: str) -> None:
        """Let nothing of a scenario happen, nor be sent, until it is resumed.

        :raises UsageError: it is not running.
        """
        from .publishing import pause

        pause(current_line, name)

    def resume(self, name: str) -> None:
        """Let a paused scenario go on; what became due meanwhile is due, or too late.

        :raises UsageError: it is not paused.
        """
        from .publishing import resume

        resume(current_line, name)

    def stop(self, name: str) -> int:
        """End a scenario and its live runs, with what of theirs waits; return how many ended.

        :raises UsageError: it is not published, or stopped already.
        """
        from .publishing import stop

        return stop(current_line, name)
