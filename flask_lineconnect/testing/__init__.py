"""For everybody's tests: the LINE emulator, and people who use it. Read ``plugin.py`` first."""
