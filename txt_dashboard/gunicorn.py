"""How gunicorn serves the pages: `gunicorn -c python:txt_dashboard.gunicorn`. Its command line overrides."""

import os

from django.conf import settings
from gunicorn.config import Config
from gunicorn.glogging import Logger

from txt_dashboard import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "txt_dashboard.settings")


class OneLog(Logger):
    """Gunicorn's two loggers without handlers of their own."""

    def setup(self, cfg: Config) -> None:
        """Hands its records to ours."""
        super().setup(cfg)
        logs.configure(settings.LOGGING)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


wsgi_app = "txt_dashboard.wsgi:application"
worker_class = "gthread"
threads = 8
logger_class = OneLog
# It would lie in the home directory, and nobody asks it anything.
control_socket_disable = True
