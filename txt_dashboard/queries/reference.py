"""The reference values and policies in force, as the rules' own types."""

from txt_dashboard.attest.reference import ReferenceSet
from txt_dashboard.queries.in_force import in_force


def current_reference() -> ReferenceSet:
    """All approved baselines, a policy for each server and pool, and the servers that count. One query."""
    return in_force().reference
