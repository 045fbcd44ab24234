"""The Latent space page's controls."""
