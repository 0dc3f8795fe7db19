"""What the verbs' tests share."""

from tests.quoted_fleet import served_fleet, sim  # noqa: F401 - used by name
