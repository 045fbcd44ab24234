"""What a trained network gives, without torch."""
