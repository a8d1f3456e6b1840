"""The customer's pages inside LINE: the point card, orders, membership.

Read ``blueprint.py`` first.
"""
