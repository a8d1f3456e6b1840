"""From LINE's webhook to the hook and its reply.

Read ``views.py``, then ``inbox.py``, ``dispatch.py``.
"""
