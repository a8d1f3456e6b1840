"""The extension's tables; all start with ``lineconnect_`` and live in the shop's database.

Read ``account.py`` first; ``base.py`` says how they come into the shop's metadata. Files with
tables do without postponed annotations, which SQLAlchemy would compile one by one at every start.
"""

from .account import Account
from .account import AuditEntry
from .account import CardCode
from .account import ChatLink
from .account import CredentialChange
from .account import EndedLink
from .account import KeptForm
from .account import LoginAttempt
from .account import SourceLabel
from .account import UnlinkTask
from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .campaign import CampaignMember
from .campaign import Touch
from .forward import WebhookForward
from .inbox import InboxEvent
from .inbox import OpenDialogue
from .link import Click
from .link import TrackedLink
from .member_event import MemberEvent
from .outbox import Campaign
from .outbox import OutboxBatch
from .outbox import OutboxMessage
from .plan import CampaignPlan
from .point_entry import PointEntry
from .preference import Preference
from .process import LivingProcess
from .result import Attribution
from .result import LineInsight
from .result import ResultCount
from .result import ResultPerson
from .rich_menu import PublishedRichMenu
from .rich_menu import RichMenuRelease
from .rich_menu import SavedMenu
from .saved_message import SavedMessage
from .scenario import PublishedScenario
from .scenario import ScenarioMember
from .scenario import ScenarioRun
from .scenario import ScenarioStep
from .scenario import ScenarioVersion
from .segment import SavedSegment
from .sending import Pace
from .sending import QuotaMonth
from .sending import SendingPause
from .staff_note import MemberTag
from .staff_note import StaffNote

__all__ = [
    "Account",
    "Attribution",
    "AuditEntry",
    "Campaign",
    "CampaignMember",
    "CampaignPlan",
    "CardCode",
    "ChatLink",
    "Click",
    "CredentialChange",
    "EndedLink",
    "InboxEvent",
    "KeptForm",
    "LineBase",
    "LineInsight",
    "LivingProcess",
    "LoginAttempt",
    "MemberEvent",
    "MemberKey",
    "MemberTag",
    "OpenDialogue",
    "OutboxBatch",
    "OutboxMessage",
    "Pace",
    "PointEntry",
    "Preference",
    "PublishedRichMenu",
    "PublishedScenario",
    "QuotaMonth",
    "ResultCount",
    "ResultPerson",
    "RichMenuRelease",
    "SavedMenu",
    "SavedMessage",
    "SavedSegment",
    "ScenarioMember",
    "ScenarioRun",
    "ScenarioStep",
    "ScenarioVersion",
    "SendingPause",
    "SourceLabel",
    "StaffNote",
    "Touch",
    "TrackedLink",
    "UnlinkTask",
    "UtcDateTime",
    "WebhookForward",
]
