"""One call behind a page and the command line: scoring, planting, the latent space."""
