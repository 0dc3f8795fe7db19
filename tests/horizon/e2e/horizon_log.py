"""Executed last in Horizon's settings: what fails there is told in the lab's log, with its traceback."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"log": {"class": "logging.StreamHandler"}},
    "loggers": {
        name: {"handlers": ["log"], "level": "WARNING"} for name in ("django", "horizon", "txt_dashboard_panel")
    },
}
