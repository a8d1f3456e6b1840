"""What only LINE's web consoles can do: the developers' one, and the official account's manager.

It is one page of forms: ``views.py``.
"""
