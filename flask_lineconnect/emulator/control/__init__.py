"""Not LINE's: how tests and demos set the world up, break it and look at it.

Read ``api.py`` first.
"""
