"""Channel access tokens, of every kind that LINE gives. Read ``api.py``, then ``guard.py``."""
