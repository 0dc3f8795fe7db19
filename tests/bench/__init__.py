"""Benchmarks: our work against a limit that is measured in the same run. `python -m tests.bench`."""
