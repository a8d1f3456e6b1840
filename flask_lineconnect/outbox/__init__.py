"""Messages on their way: put in, allowed, claimed, sent, written down. Read ``queue.py`` first."""
