"""What answers requests: a module for each resource."""
