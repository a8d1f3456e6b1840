"""LIFF: its addresses, its server API, and what its SDK calls. Read ``opening.py`` first."""
