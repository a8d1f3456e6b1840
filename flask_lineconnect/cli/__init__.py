"""``flask line …``: one module for each word. Read ``group.py`` first."""
