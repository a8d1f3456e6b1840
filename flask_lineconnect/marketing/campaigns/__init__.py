"""Campaigns: one message, or several to compare, to many people at a time.

Read ``definition.py`` first, then ``planning.py`` (plan, check, estimate), ``beginning.py`` (the
recipients, frozen) and ``making.py`` (messages that differ, written a portion at a time).
"""
