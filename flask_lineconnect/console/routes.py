"""All addresses of the console: which view answers each, and who may use it.

This is the one table of roles; ``blueprint.py`` asks it before every view, and imports the view's
module when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from ..shop.adapter import StaffRole

#: From those who may least.
ROLES: Sequence[StaffRole] = ("viewer", "editor", "owner")
#: What hands out data of many, or all of one person's, is noted in the audit, and so is a change.
VIEW, CHANGE = ("GET",), ("POST",)
BOTH = (*VIEW, *CHANGE)


@dataclass(frozen=True, slots=True)
class Route:
    """One address.

    :ivar view: module and function in this room; the function's name is the endpoint's.
    :ivar role: who may least of those who may use it.
    """

    rule: str
    view: str
    role: StaffRole
    methods: Sequence[str] = VIEW

    @property
    def module(self) -> str:
        """The module of the view."""
        return self.view.partition(".")[0]

    @property
    def endpoint(self) -> str:
        """The name of the view, and of the endpoint."""
        return self.view.partition(".")[2]


ROUTES = (
    Route("/", "home.home", "viewer"),
    Route("/more", "home.more", "viewer"),
    Route("/language", "home.language", "viewer", CHANGE),
    Route("/inbox", "inbox.inbox", "viewer"),
    Route("/inbox/<key>/reply", "inbox.inbox_reply", "editor", CHANGE),
    Route("/inbox/<key>/done", "inbox.inbox_done", "editor", CHANGE),
    Route("/people", "people.people", "viewer"),
    Route("/people.csv", "people.people_csv", "owner", CHANGE),
    Route("/people/<key>", "member.member", "viewer"),
    Route("/people/<key>/talk", "member.talk", "editor", CHANGE),
    Route("/people/<key>/notes", "notes.add_note", "editor", CHANGE),
    Route("/people/<key>/notes/remove", "notes.remove_note", "editor", CHANGE),
    Route("/people/<key>/tags", "notes.add_tag", "editor", CHANGE),
    Route("/people/<key>/tags/remove", "notes.remove_tag", "editor", CHANGE),
    Route("/people/<key>/points", "points.correct_points", "owner", CHANGE),
    Route("/people/<key>/unlink", "member.unlink", "owner", BOTH),
    Route("/people/<key>/erase", "member.erase", "owner", BOTH),
    Route("/people/<key>/data.json", "member.data", "owner", CHANGE),
    Route("/segments", "segments.segments", "viewer"),
    Route("/segments/new", "segments.new_segment", "editor", BOTH),
    Route("/segments/estimate", "segment_estimates.estimate_segment", "editor", CHANGE),
    Route("/segments/<name>", "segments.segment", "viewer"),
    Route("/segments/<name>/edit", "segments.edit_segment", "editor", BOTH),
    Route("/segments/<name>/remove", "segments.remove_segment", "editor", CHANGE),
    Route("/campaigns", "campaigns.campaigns", "viewer"),
    Route("/campaigns/new", "campaign_steps.new_campaign", "editor", BOTH),
    Route("/campaigns/results/<int:number>", "campaign_results.campaign_results", "viewer"),
    Route(
        "/campaigns/results/<int:number>.csv",
        "campaign_results.campaign_results_csv",
        "editor",
        CHANGE,
    ),
    Route("/campaigns/<name>/audience", "campaign_steps.campaign_audience", "editor", BOTH),
    Route("/campaigns/<name>/message", "campaign_steps.campaign_message", "editor", BOTH),
    Route("/campaigns/<name>/time", "campaign_steps.campaign_time", "editor", BOTH),
    Route("/campaigns/<name>/confirm", "campaign_sending.campaign_confirm", "editor"),
    Route("/campaigns/<name>/try", "campaign_sending.try_campaign", "editor", CHANGE),
    Route("/campaigns/<name>/ask", "campaign_sending.ask_approval", "editor", CHANGE),
    Route("/campaigns/<name>/begin", "campaign_sending.begin_campaign", "owner", CHANGE),
    Route("/campaigns/call-back", "campaign_sending.call_back_campaign", "editor", CHANGE),
    Route("/campaigns/copy", "campaign_sending.copy_campaign", "editor", CHANGE),
    Route("/campaigns/pause", "campaigns.pause_campaign", "editor", CHANGE),
    Route("/campaigns/resume", "campaigns.resume_campaign", "owner", CHANGE),
    Route("/campaigns/cancel", "campaigns.cancel_campaign", "owner", CHANGE),
    Route("/messages", "messages.messages", "viewer"),
    Route("/messages/new", "messages.new_message", "editor", BOTH),
    Route("/messages/<name>/edit", "messages.edit_message", "editor", BOTH),
    Route("/messages/<name>/copy", "messages.copy_message", "editor", CHANGE),
    Route("/messages/<name>/remove", "messages.remove_message", "editor", CHANGE),
    Route("/messages/preview", "messages.preview_message", "editor", CHANGE),
    Route("/scenarios", "scenarios.scenarios", "viewer"),
    Route("/scenarios/<name>", "scenarios.scenario", "viewer"),
    Route("/scenarios/<name>/changes", "scenario_versions.scenario_changes", "viewer"),
    Route("/scenarios/<name>/rehearsal", "scenarios.rehearsal", "editor"),
    Route("/scenarios/<name>/on", "scenarios.switch_on", "owner", CHANGE),
    Route("/scenarios/<name>/pause", "scenarios.pause_scenario", "editor", CHANGE),
    Route("/scenarios/<name>/resume", "scenarios.resume_scenario", "owner", CHANGE),
    Route("/scenarios/<name>/stop", "scenarios.stop_scenario", "owner", CHANGE),
    Route("/store-qr", "store_qr.store_qr", "viewer"),
    Route("/store-qr/make", "store_qr.make_qr", "editor", CHANGE),
    Route("/store-qr/print", "store_qr.print_qr", "viewer"),
    Route("/menus", "menus.menus", "viewer"),
    Route("/menus/new", "menu_making.new_menu", "editor", BOTH),
    Route("/menus/publish", "menu_changes.publish_menus", "owner", CHANGE),
    Route("/menus/rollback", "menu_changes.roll_back_menus", "owner", CHANGE),
    Route("/menus/<name>", "menus.menu", "viewer"),
    Route("/menus/<name>/image", "menus.menu_image", "viewer"),
    Route("/menus/<name>/edit", "menu_making.edit_menu", "editor", BOTH),
    Route("/menus/<name>/remove", "menu_making.remove_menu", "editor", CHANGE),
    Route("/points", "points.points", "viewer"),
    Route("/points.csv", "points.points_csv", "owner", CHANGE),
    Route("/reports", "reports.reports", "viewer"),
    Route("/reports/rfm", "buyer_reports.rfm", "viewer"),
    Route("/reports/cohorts", "buyer_reports.cohorts", "viewer"),
    Route("/reports/<name>.csv", "reports.report_csv", "viewer", CHANGE),
    Route("/checks", "home.checks", "editor"),
    Route("/checks/resume", "home.resume_sending", "owner", CHANGE),
    Route("/audit", "audit.audit", "owner"),
    Route("/audit.csv", "audit.audit_csv", "owner", CHANGE),
)
BY_ENDPOINT: Mapping[str, Route] = {route.endpoint: route for route in ROUTES}


def may(role: StaffRole, needed: StaffRole) -> bool:
    """Tell whether who has a role may do what needs another one."""
    return ROLES.index(role) >= ROLES.index(needed)
