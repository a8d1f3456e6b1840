"""Shops as in production: nginx with TLS, gunicorn behind it, LINE under another name.

``authority.py`` makes the certificate, ``names.py`` leads names to this machine, ``nginx.py`` is
the server at the front, ``street.py`` opens all of it.
"""
