"""The rich menu below the chat: defined by the shop, published once per content.

Read ``publish.py``.
"""
