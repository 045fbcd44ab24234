"""The Explore page's panels, downloads and state."""
