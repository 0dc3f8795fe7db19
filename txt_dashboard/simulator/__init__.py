"""A stand-in for an attestation server and the hosts behind it, for the demonstration and the tests.

It simulates: no TPM is read and no host is asked. Register values are real extends of invented boot components.
"""
