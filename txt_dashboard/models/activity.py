"""The activity log's table. Written by `audit` only."""

from django.db import models


class Activity(models.Model):
    """Who did what, when and why. Each row holds the hash of the one before it."""

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    target = models.CharField(max_length=253, blank=True)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
