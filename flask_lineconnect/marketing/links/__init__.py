"""Links in messages that lead through the shop's own host, so that it is known who followed them.

Read ``pruning.py`` for what is kept of clicks, and how long.
"""
