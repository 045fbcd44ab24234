"""The Benchmark page's tables and its reader's own experiments."""
