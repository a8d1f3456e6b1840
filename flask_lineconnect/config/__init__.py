"""What a shop sets: every ``LINECONNECT_`` key, and LINE's price plans.

Read ``settings.py`` first.
"""
