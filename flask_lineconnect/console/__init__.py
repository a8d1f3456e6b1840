"""The console: pages for the shop's owner and staff, who never see Python.

Read ``routes.py`` first: which pages there are, and who may open each. ``blueprint.py`` lets people
in; a view asks, a function beside it decides, a template shows.
"""
