"""The registration form for shops that bring none of their own."""

from __future__ import annotations

from wtforms import EmailField
from wtforms import Form
from wtforms import StringField
from wtforms.validators import InputRequired
from wtforms.validators import Length
from wtforms.validators import Optional
from wtforms.validators import Regexp

from ..i18n import lazy_gettext as _


def _stripped(value: str | None) -> str | None:
    return value.strip() if value else None


class SignUpForm(Form):
    """Name and e-mail address, both prefilled from LINE where LINE knows them."""

    display_name = StringField(
        _("お名前"),
        [InputRequired(_("お名前を入力してください。")), Length(max=100)],
        filters=[_stripped],
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _("メールアドレス"),
        [
            Optional(),
            Length(max=254),
            Regexp(
                r"[^@\s]+@[^@\s]+\.[^@\s]+$", message=_("メールアドレスの形が正しくありません。")
            ),
        ],
        filters=[_stripped],
        render_kw={"autocomplete": "email"},
    )
