"""Benchmarks: each value beside a reference that was measured in the same run."""
