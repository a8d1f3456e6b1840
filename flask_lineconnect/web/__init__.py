"""What all our pages share: routes, layout, guards, assets, languages.

Read ``blueprint.py`` first.
"""
