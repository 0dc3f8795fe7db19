"""Extra specs in the namespace `trust:`, so that Nova refuses a typo in it (from microversion 2.86 on).

Loaded through the entry point `nova.api.extra_spec_validators`.
"""

from nova import exception
from nova.api.validation.extra_specs import base


class _Unscoped(base.ExtraSpecValidator):  # type: ignore[misc] # Nova has no types
    """Refuses the key that Nova's own guide once named, because no filter ever read it."""

    def validate(self, name: str, value: str) -> None:
        raise exception.ValidationError(
            f"Validation failed; '{name}' enforces nothing: use 'trust:trusted_host' instead."
        )


def register() -> list[base.ExtraSpecValidator]:
    """What Nova asks for."""
    return [
        base.ExtraSpecValidator(
            name="trust:trusted_host",
            description="Only hosts that attestation finds trusted. Needs the scheduler filter TrustedHostFilter.",
            value={"type": str, "enum": ["trusted"]},
        ),
        _Unscoped(
            name="trusted_host",
            description="Enforces nothing; always refused.",
            value={"type": str},
        ),
    ]
