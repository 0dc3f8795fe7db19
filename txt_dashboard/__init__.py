"""Trusted Compute: which hosts still boot what was approved, and why not."""

__version__ = "0.1.0"
