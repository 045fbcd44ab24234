"""A study as BIDS arranges it: its T1 scans found, scored one by one, and told of in one table."""
