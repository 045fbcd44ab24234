"""What pages share: the cached functions."""
