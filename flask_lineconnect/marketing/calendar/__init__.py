"""The calendar of waits and recurring times.

Read ``times.py`` first: when something is due; ``words.py`` says how it is written.
"""
