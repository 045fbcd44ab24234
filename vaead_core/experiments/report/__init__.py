"""The recorded tables as a page: verdicts, recommendation, the thesis's numbers, figures."""
