"""Nova, Placement and Keystone: one function a call, typed values out. No database, no rules of attestation.

Pure logic of its own stands apart: `matching`, `enforcement`, `plan` and `heartbeat` ask nobody anything.
"""
