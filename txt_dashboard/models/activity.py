"""The activity log's tables. Written by `audit` only; triggers refuse changes of entries (`audit/guards.py`)."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Text = models.TextField[Mapping[str, object] | str, dict[str, Any]]
else:
    _Text = models.TextField

ONLY = 1  # the key of the one row that a table has


class Detail(_Text):
    """A JSON object, kept as the very text that was hashed: a database's own JSON type would write it anew.

    Text that is no JSON object, which only tampering leaves behind, reads as `{"unreadable": …}`.
    """

    def from_db_value(self, value: str | None, *_: object) -> dict[str, Any]:
        """What the text says."""
        try:
            read = json.loads(value or "")
        except ValueError:
            read = None
        return read if isinstance(read, dict) else {"unreadable": str(value)[:200]}

    def get_prep_value(self, value: Mapping[str, object] | str) -> str:
        """The text to store. Raises `TypeError` or `ValueError` for what JSON can't say."""
        return value if isinstance(value, str) else detail_text(value)


def detail_text(detail: Mapping[str, object]) -> str:
    """The text of an entry's detail: JSON in ASCII without spaces, which every database keeps as it is."""
    return json.dumps(dict(detail), separators=(",", ":"), allow_nan=False)


class Activity(models.Model):
    """Who did what, when and why. Numbered without a gap; each row holds the hash of the one before it."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    target = models.CharField(max_length=253, blank=True)
    host = models.CharField(max_length=253, blank=True)  # where the act is about one host
    of = models.BigIntegerField(null=True)  # an outcome's: the number of the entry that says what was intended
    detail = Detail(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["actor", "id"], name="activity_by_actor"),
            models.Index(fields=["verb", "id"], name="activity_by_verb"),
            models.Index(fields=["host", "id"], name="activity_by_host"),
            models.Index(fields=["of"], name="activity_by_intent", condition=models.Q(of__isnull=False)),
        ]


class ActivityHead(models.Model):
    """One row: how many entries there are, and the last one's digest. Whoever writes an entry locks it first."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    count = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)


class ActivityCheck(models.Model):
    """One row: what the workers last found when they walked the chain and signed its head, for pages to show."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    due_at = models.DateTimeField(null=True)
    walked = models.BigIntegerField(default=0)  # how far the walk that is under way has come
    walked_digest = models.CharField(max_length=64, blank=True)
    checked = models.BigIntegerField(default=0)  # the last entry of the latest walk that was finished
    checked_at = models.DateTimeField(null=True)
    fault = models.TextField(blank=True)
    signed = models.BigIntegerField(default=0)  # the last entry that a signed head covers
    signed_at = models.DateTimeField(null=True)
    head_fault = models.TextField(blank=True)
