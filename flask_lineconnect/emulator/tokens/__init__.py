"""Channel access tokens, of every kind that LINE gives. Read ``channel_tokens.py`` first."""
