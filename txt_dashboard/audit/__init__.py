"""The activity log: append-only, each entry chained to the one before it by SHA-256, its head signed.

`record` writes, `verify` checks, `watch` is what workers do for it every minute.
"""

from txt_dashboard.audit.log import intend, record

__all__ = ["intend", "record"]
