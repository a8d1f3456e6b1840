"""What people asked in the chat, for the console's inbox."""

from collections.abc import Sequence

from sqlalchemy import update

from flask_lineconnect import Inquiry as Question
from flask_lineconnect import InquiryDesk

from ..extensions import db
from ..inquiries import open_inquiries
from ..models import Inquiry
from ..models import User


class KomorebiInquiries(InquiryDesk[User]):
    """The questions that the chat hands over to staff."""

    def waiting(self, *, limit: int) -> Sequence[Question[User]]:
        """Return what nobody has answered, the longest wait first."""
        return [_shown(one) for one in open_inquiries(db.session())[:limit]]

    def find(self, key: str) -> Question[User] | None:
        """Return one of them."""
        found = db.session.get(Inquiry, int(key)) if key.isdecimal() and len(key) < 10 else None
        return None if found is None or found.is_answered else _shown(found)

    def done(self, key: str) -> bool:
        """Note that one is answered; of two presses the first counts."""
        statement = (
            update(Inquiry)
            .where(Inquiry.id == int(key), Inquiry.is_answered.is_(False))
            .values(is_answered=True)
            .returning(Inquiry.id)
        )
        return db.session.execute(statement).first() is not None


def _shown(inquiry: Inquiry) -> Question[User]:
    return Question(str(inquiry.id), inquiry.name, inquiry.text, inquiry.at, inquiry.user)
