"""The computers: cores, memory, a Dask cluster, the version of the code that computes."""
