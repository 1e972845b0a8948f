"""What every part of the service has in common."""
