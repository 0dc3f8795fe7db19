"""Instances on the hosts that a change of the reference values gives trust, or takes it from."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from txt_dashboard.models import CloudInstance, InstanceLook
from txt_dashboard.queries.fate import Change
from txt_dashboard.queries.impact import Impact, affected


@dataclass(frozen=True, slots=True)
class Concerned:
    """How many instances there are on these hosts, and how many of them asked for a trusted one."""

    instances: int
    asking: int


def concerned(found: Impact) -> Mapping[Change, Concerned]:
    """By change, as workers saw instances last; nothing without a cloud. One query for each change that has hosts."""
    if not InstanceLook.objects.exclude(looked_at=None).exists():
        return {}
    return {change: _on(found, change) for change in Change if found[change]}


def _on(found: Impact, change: Change) -> Concerned:
    there = CloudInstance.objects.filter(node__host__in=affected(found, change).values("pk"))
    counts = there.aggregate(instances=Count("pk"), asking=Count("pk", filter=Q(asks=True)))
    return Concerned(counts["instances"], counts["asking"])
