"""Trusted Compute in Horizon: panels over the REST API. Imports Horizon and requests, and nothing else of ours."""
