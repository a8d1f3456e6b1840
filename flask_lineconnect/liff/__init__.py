"""The LIFF pages and the exchange of LINE's ID token for a session of the shop's."""
