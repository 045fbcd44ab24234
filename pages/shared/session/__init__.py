"""What a reader of Explore has before them as one small file, and back."""
