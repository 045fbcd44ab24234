"""Detection limits of one scan: what a map would have missed in it, at the threshold in use, by lesions painted into it."""
