"""An imitation of LINE, reached over HTTP only; it shares no code with us.

Read ``app.py`` first.
"""
