"""When and where background work runs: a thread, a worker, Celery. Read ``work.py`` first."""
