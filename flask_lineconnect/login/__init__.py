"""LINE Login: OpenID Connect with LINE, the decision what it means, and the pages around it."""
