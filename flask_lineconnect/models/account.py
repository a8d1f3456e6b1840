"""LINE accounts, attempts to log in, and the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index

#: Of an :class:`UnlinkTask` that LINE is still to be told of.
IS_QUEUED = "state = 'queued'"
#: Of an :class:`Account` whose rich menu LINE is still to be told of.
IS_MENU_DUE = "menu_due_at IS NOT NULL"
#: Of an :class:`Account` that never was a member's, and of which more is kept than a friendship.
#: Written so that SQLite does not take the index of ``member_id`` for it, which holds all of them.
IS_STRANGER = (
    "NOT (member_id IS NOT NULL OR linked_at IS NOT NULL OR former_member_id IS NOT NULL) "
    "AND (is_friend IS NOT TRUE OR display_name <> '' "
    "OR picture_url IS NOT NULL OR sealed_tokens IS NOT NULL)"
)


class Account(LineBase):
    """One LINE user of this provider, and the member it is linked to."""

    __tablename__ = "lineconnect_account"
    __table_args__ = (
        partial_index(
            "account_consent",
            "consent_checked_at",
            where="member_id IS NOT NULL AND sealed_tokens IS NOT NULL",
        ),
        partial_index("account_stranger", "created_at", where=IS_STRANGER),
        partial_index("account_menu_due", "menu_due_at", where=IS_MENU_DUE),
        # A session names its account by the id, which therefore must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: ``U`` and 32 hexadecimal digits; never changes, differs per provider.
    line_user_id: Mapped[str] = mapped_column(String(33), unique=True)
    display_name: Mapped[str] = mapped_column(Text, default="")
    picture_url: Mapped[str | None] = mapped_column(Text)

    #: ``None`` until LINE told us; the newest evidence wins.
    is_friend: Mapped[bool | None]
    friend_evidence_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    member_id: Mapped[Any | None] = mapped_column(MemberKey, unique=True)
    #: What tells the member from the next one with the same key; see ``linking/marks.py``.
    member_mark: Mapped[str | None] = mapped_column(String(100))
    linked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Where the link began: the ``source`` of the store QR or button.
    link_source: Mapped[str | None] = mapped_column(String(100))
    #: Encrypted, for this row alone; see ``login/tokens.py``.
    sealed_tokens: Mapped[str | None] = mapped_column(Text, deferred=True)
    #: When LINE was last asked whether the consent still stands; see ``upkeep.py``.
    consent_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When a page asked the person to become a friend, which it does once.
    friend_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Raised at unlink and erasure, which ends the sessions that LINE gave.
    session_generation: Mapped[int] = mapped_column(default=0)
    #: Raised when the member's points changed, for which open point cards look.
    card_version: Mapped[int] = mapped_column(default=0, server_default="0")
    #: When the member's credentials changed after the link was made, which is asked again then.
    in_doubt_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The member of the link that ended last: erased with them, and their way back.
    former_member_id: Mapped[Any | None] = mapped_column(MemberKey, index=True)
    former_member_mark: Mapped[str | None] = mapped_column(String(100))
    #: Whether they ended it themselves, by LINE and without another way in: LINE leads them back.
    may_return: Mapped[bool | None]
    #: The language that the member chose on a page, as catalogues spell it: ``en``, ``zh_Hant``.
    language: Mapped[str | None] = mapped_column(String(35))
    #: Since when LINE is to be told which rich menu that is; see ``rich_menus/showing.py``.
    menu_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The rich menu of a release that LINE shows this person alone; ``None``: everybody's.
    rich_menu_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def is_linked(self) -> bool:
        """Tell whether a member is joined to this LINE account."""
        return self.member_id is not None


class LoginAttempt(LineBase):
    """A login attempt that came back from LINE: consumed once, then waiting for the person.

    The row outlives the request for ten minutes, on the server's side; the session holds only the
    handle whose hash is here.
    """

    __tablename__ = "lineconnect_login_attempt"

    #: SHA-256 of the ``state`` or of the LIFF ID token; unique, so an attempt counts once.
    proof_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    handle_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    #: What the person began: ``login`` or ``link``.
    intent: Mapped[str] = mapped_column(String(8))
    #: Who was logged in to the shop when a link was begun.
    member_key: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(Text)
    next_path: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(100))
    consumed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class CredentialChange(LineBase):
    """When a member's credentials changed: logins from before are recent no more.

    Gone when they would not be anyway.
    """

    __tablename__ = "lineconnect_credential_change"

    member_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ChatLink(LineBase):
    """A link on its way through the chat: first LINE's token, then the member's nonce.

    Only hashes are here; a row is used once and lives for ten minutes.
    """

    __tablename__ = "lineconnect_chat_link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: For whom LINE gave the token; nobody else can be linked with it.
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    nonce_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    member_id: Mapped[Any | None] = mapped_column(MemberKey)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class CardCode(LineBase):
    """The code on a member's point card that pays once; a newer one replaces it."""

    __tablename__ = "lineconnect_card_code"

    account_id: Mapped[int] = mapped_column(
        ForeignKey(Account.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: SHA-256; the code itself is on the phone alone.
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UnlinkTask(LineBase):
    """What LINE must still be told of a link that ended; done as soon as LINE answers.

    State: ``queued`` → gone when it is done, ``failed`` when LINE kept refusing it.
    """

    __tablename__ = "lineconnect_unlink_task"
    __table_args__ = (partial_index("unlink_task_due", "next_attempt_at", where=IS_QUEUED),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of an account whose row may be gone.
    account_id: Mapped[int]
    line_user_id: Mapped[str] = mapped_column(String(33))
    sealed_tokens: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EndedLink(LineBase):
    """That a person's link has ended: LIFF keeps an ID token for an hour, which must not revive it.

    Gone when no such token lives any more, and so is the last that is known of an erased person.
    """

    __tablename__ = "lineconnect_ended_link"

    #: SHA-256 of the LINE user id.
    line_user_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class KeptForm(LineBase):
    """A form that an auto-login interrupted; shown again to the same browser session for a press.

    Only for views marked with ``keep_form``; gone when it is shown, after ten minutes at the most.
    Passwords are never in it.
    """

    __tablename__ = "lineconnect_kept_form"

    #: SHA-256 of the handle in the browser's session.
    handle_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    #: The form's fields, encrypted: they are a person's data.
    sealed_fields: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SourceLabel(LineBase):
    """A label of a store QR code that ``flask line store-qr`` made; see ``login/labels.py``."""

    __tablename__ = "lineconnect_source_label"

    label: Mapped[str] = mapped_column(String(100), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditEntry(LineBase):
    """Who did what; no personal data beyond ids, never changed."""

    __tablename__ = "lineconnect_audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    #: A past participle: ``linked``, ``confirmed``, ``unlinked``, ``erased``, ``consent-ended``;
    #: in the console ``segment-saved``, ``scenario-paused`` and the like.
    action: Mapped[str] = mapped_column(String(40))
    #: Who did it: ``member``, ``shop`` (staff, or the shop's own code) or ``line``.
    actor: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[int | None]
    member_key: Mapped[str | None] = mapped_column(String(255))
    #: Of what was done in the console: who, by the id that Flask-Login has of them.
    staff: Mapped[str | None] = mapped_column(String(255))
    #: What it was done to, where it is no person: ``segment:lapsed``, ``scenario:cart``.
    subject: Mapped[str | None] = mapped_column(String(255))
