"""The tests' settings, with a queue of our own on a broker that others may use, too."""

from tests.settings import *  # noqa: F403 - all of them
from tests.settings import CELERY_BROKER_URL, env

CELERY_TASK_DEFAULT_QUEUE = env.str("TXT_TEST_QUEUE")
if CELERY_BROKER_URL.startswith("redis:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{CELERY_TASK_DEFAULT_QUEUE}:"}
