"""Where tracked links are opened: a click is written down, and the visitor led on at once.

Read ``views.py`` first.
"""
