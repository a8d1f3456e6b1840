"""Webhooks: what happens at the official account, told to the shop. Read ``events.py`` first."""
