"""Code as a shop writes it, which must pass mypy --strict; `make lint` reads it."""
