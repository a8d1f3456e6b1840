"""What members did, and what follows from it.

Read ``member_events.py`` first: how an event is told; ``event_kinds.py`` says what can be told.
"""
