"""Other extensions beside ours: one small shop for each, and one journey through all of them.

``journey.py`` is the journey, ``browser.py`` who walks it; each ``test_*.py`` makes a shop with one
neighbour, the real package.
"""
