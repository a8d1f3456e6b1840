"""A user's ordinary browser, as the login's tests have it."""

from __future__ import annotations

from ..login.conftest import sakura as sakura
