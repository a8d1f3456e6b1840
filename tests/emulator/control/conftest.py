"""The control pages of a platform that no shop belongs to."""

from __future__ import annotations

from ..quiet import client as client
from ..quiet import line as line
