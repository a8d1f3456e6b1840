"""A user's LINE app in a desktop browser, and all that a user can do. Read ``views.py`` first."""
