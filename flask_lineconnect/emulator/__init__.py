"""An imitation of LINE, reached over HTTP only; it shares no code with the extension."""
