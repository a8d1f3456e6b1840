"""LINE Login: from the button to a session of the shop's.

Read ``views.py`` first, then ``flow.py``.
"""
