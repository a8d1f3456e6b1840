"""A shop in which all is well."""

from __future__ import annotations

from flask_lineconnect.doctor.examination import NAMES

from .conftest import OpenShop
from .conftest import look


def test_nothing_is_wrong(open_shop: OpenShop) -> None:
    found = look(open_shop())
    for one in found.values():
        print(one)
    assert {one.check: one for one in found.values() if one.state in {"wrong", "unasked"}} == {}
    assert set(found) <= set(NAMES)
