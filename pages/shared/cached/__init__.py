"""The only cached functions of the app."""
