"""Files that nobody has checked, by the thousand: each is used, or refused with one sentence. `python -m tests.fuzz 10000`."""
