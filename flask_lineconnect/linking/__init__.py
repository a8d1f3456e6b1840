"""LINE accounts and members: tied, untied, found in the chat, told to LINE.

Read ``accounts.py`` first.
"""
