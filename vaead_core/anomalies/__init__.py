"""What is planted in healthy brains: toys and painted lesions, one file a kind."""
