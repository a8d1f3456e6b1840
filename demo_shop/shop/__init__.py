"""The shop's pages: the store, the member's account, the counter."""
