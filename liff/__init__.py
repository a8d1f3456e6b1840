"""The customers' LIFF pages: templates and static files, served by ``flask_lineconnect.liff``."""
