"""The Cohort page: which study, its table, a scan of it opened, two groups of it, and scans of one's own."""
