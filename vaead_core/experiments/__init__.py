"""The experiments of the thesis and beyond: `python -m vaead_core evaluate EXPERIMENT` measures and records one.

An experiment is cut into parts (one subject, one dataset, one checkpoint), each a pure function of its description, so
that parts run on any process or machine, are kept, and an interrupted run goes on.
"""
