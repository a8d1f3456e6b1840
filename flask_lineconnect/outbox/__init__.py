"""Messages that the shop sends: stored in its own transaction, sent afterwards, once."""
