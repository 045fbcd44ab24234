"""The Explore page's comparison of two: checkpoints, scans or thresholds."""
