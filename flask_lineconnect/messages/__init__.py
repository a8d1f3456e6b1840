"""Message objects: made, rendered from templates, held against LINE's limits.

Read ``objects.py`` first.
"""
