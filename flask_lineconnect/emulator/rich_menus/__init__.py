"""Rich menus: made, shown to whom, by alias and in batches. Read ``menus.py`` first."""
