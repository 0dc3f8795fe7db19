"""Before a person's act takes trust from many hosts at once, the person names their number.

What evidence takes, nobody is asked about.
"""

from txt_dashboard import conf
from txt_dashboard.actions.permissions import ManyLosses
from txt_dashboard.models import Host


def is_many(losses: int, hosts: int) -> bool:
    """Whether so many of so many hosts are more than the share in the settings."""
    return losses * 100 > hosts * conf.confirm_losses()


def require_named(losses: int, confirmed: int | None, *, hosts: int | None = None) -> None:
    """Raises `ManyLosses` where many would lose their trust and the actor named another number, or none.

    `hosts` is how many there are, where the caller has counted them.
    """
    if losses in (0, confirmed):
        return
    total = Host.objects.count() if hosts is None else hosts
    if is_many(losses, total):
        raise ManyLosses(losses, total)
