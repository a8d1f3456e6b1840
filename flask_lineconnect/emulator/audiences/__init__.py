"""Audiences for narrowcasts, and how far each is. Read ``api.py`` first."""
