"""The Celery application: `celery -A txt_dashboard.celery`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "txt_dashboard.settings")
TRANSPORT_ALIASES["spool"] = "txt_dashboard.spool:Transport"


@setup_logging.connect
def leave_logging_alone(**_kwargs: Any) -> None:
    """Django's settings configure the log; with somebody connected here, Celery does not."""


app = Celery("txt_dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["txt_dashboard"])
