"""The Messaging API: what a bot sends, and what LINE checks of it. Read ``api.py`` first."""
