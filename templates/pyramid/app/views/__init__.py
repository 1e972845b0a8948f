"""What answers requests: views find what they need on the request and its context."""
