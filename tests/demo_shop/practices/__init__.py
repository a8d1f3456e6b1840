"""Each practice from the shop's own events to the customer's phone, in fast time."""
