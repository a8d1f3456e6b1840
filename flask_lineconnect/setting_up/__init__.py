"""What LINE must be told before a shop can begin. Read ``channels.py`` first."""
