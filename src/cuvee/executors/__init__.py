"""Executors: where work runs, which are threads, processes, or the workers of a Dask cluster."""
