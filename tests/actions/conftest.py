"""What the verbs' tests share."""

from tests.actions.turns import server, worker  # noqa: F401 - used by name
from tests.quoted_fleet import served_fleet, sim  # noqa: F401 - used by name
