"""LINE Login: its screens, codes, tokens and ID tokens. Read ``views.py`` first."""
