"""The rich menu below the chat: defined by the shop, published once per content.

Read ``publish.py`` for one menu of a template, and ``reading.py`` for menus that are data.
"""
