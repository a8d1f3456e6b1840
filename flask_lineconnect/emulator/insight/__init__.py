"""The figures that LINE makes of what people did with messages. Read ``api.py`` first."""
