"""What may be wrong with a shop's settings, and with what LINE knows of it: one check for each.

Read ``examination.py`` first; each family of checks has a module.
"""
