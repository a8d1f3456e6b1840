"""The gateway to LINE's Messaging API; nothing else speaks to it."""
