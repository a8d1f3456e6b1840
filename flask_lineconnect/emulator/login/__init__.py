"""LINE Login: its screens, codes, tokens and ID tokens. Read ``authorize.py`` first."""
