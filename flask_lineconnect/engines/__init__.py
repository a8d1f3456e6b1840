"""When and where background work runs; what it does is in plain functions elsewhere."""
