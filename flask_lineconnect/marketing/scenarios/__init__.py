"""Scenarios: which messages follow from what, when, and until when. They are data.

Read ``definition.py`` first: what a scenario is; ``reading.py`` takes it from TOML or Python, and
``checking.py`` refuses what could not run.
"""
