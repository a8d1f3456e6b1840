"""What a shop's blueprint answers: hooks by event, text and postback.

Read ``blueprint.py`` first.
"""
