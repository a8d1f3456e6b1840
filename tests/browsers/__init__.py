"""Browsers of other engines than Chromium's: WebKitGTK, and Firefox.

Playwright brings changed builds of its own, which a machine without its download has not; these are
the distribution's. ``phone.py`` is what both can do, by the same words.
"""
