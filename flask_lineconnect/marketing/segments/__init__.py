"""Choosing people: rules about members become one statement that finds them.

Read ``rules.py`` first, what can be asked; then ``compiler.py``, how it becomes a ``Select``.
"""
