"""Every call to LINE's Messaging API. Read ``client.py`` first."""
