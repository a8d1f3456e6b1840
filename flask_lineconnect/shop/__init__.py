"""The one door to the shop: its adapter and desks, and the values they return.

Read ``adapter.py`` first.
"""
