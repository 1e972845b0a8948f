"""The contract as a black-box suite: one running service, whatever its framework, over HTTP."""
