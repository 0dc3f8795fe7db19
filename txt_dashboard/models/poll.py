"""Polls that a person asked for."""

from django.db import models


class PollRequest(models.Model):
    """ "Poll now" for all hosts, one pool, one server or one host; its progress follows from the rows it made due."""

    requested_at = models.DateTimeField(db_index=True)
    requested_by = models.CharField(max_length=150)
    pool = models.CharField(max_length=63, blank=True)
    host = models.ForeignKey("Host", null=True, on_delete=models.CASCADE)
    server = models.ForeignKey("Server", null=True, on_delete=models.CASCADE)
    total = models.PositiveIntegerField()
