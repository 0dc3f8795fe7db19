"""Adapters: one file a kind of attestation server, HTTP in, evidence out. No database, no rules."""
