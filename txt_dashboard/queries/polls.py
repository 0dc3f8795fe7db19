"""Polls that were asked for."""

from txt_dashboard.models import PollRequest

LARGEST = 2**63 - 1


def page(before: int, limit: int) -> tuple[tuple[PollRequest, ...], int]:
    """The polls below a number (0: the latest), the latest first, and the number that the next page begins below."""
    found = PollRequest.objects.select_related("host", "server").filter(pk__lt=before or LARGEST).order_by("-pk")
    rows = tuple(found[: limit + 1])
    return rows[:limit], rows[limit - 1].pk if len(rows) > limit else 0


def find(number: int) -> PollRequest | None:
    """The poll of this number, or `None`."""
    return PollRequest.objects.select_related("host", "server").filter(pk=number).first()
