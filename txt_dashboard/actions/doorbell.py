"""Workers look for what is due every few seconds. What can't wait for that rings.

The message carries nothing, as all of them: where it is lost, the next look finds the same.
"""

import structlog
from kombu.exceptions import OperationalError

from txt_dashboard import conf
from txt_dashboard.celery import app

TICK = "txt_dashboard.tick"
_PATIENCE_S = 1.0  # with the broker

log = structlog.get_logger()


def ring() -> None:
    """Has a worker look now. Where the broker does not answer the next look comes soon enough, and the log says so.

    Over a connection of its own: those that are kept try a broker that is down again without end.
    """
    patience = {**app.conf.broker_transport_options, "max_retries": 0}
    try:
        with app.connection_for_write(connect_timeout=_PATIENCE_S, transport_options=patience) as broker:
            app.send_task(TICK, connection=broker, retry=False, expires=conf.tick().total_seconds())
    except (OperationalError, OSError) as error:
        log.warning("no worker was called", why=str(error))
