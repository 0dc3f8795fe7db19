"""`run`: the whole product with a simulated fleet, on this machine only."""

import contextlib
import http.client
import os
import signal
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.shortcuts import resolve_url

from txt_dashboard import conf, demo, vault
from txt_dashboard.actions.governance import keys
from txt_dashboard.demo_options import Options
from txt_dashboard.management.demo_data import ACCOUNTS, give_accounts, give_fleet
from txt_dashboard.management.errors import told_plainly
from txt_dashboard.supervisor import Program, Supervisor

COLOURS = {"web": 36, "worker": 32, "beat": 34, "simulator": 35, "cloud": 33, "run": 1}
ANSWERS_WITHIN_S = 120


class Command(BaseCommand):
    """Starts all programs and simulators together, and stops them with Ctrl-C. Data stays in TXT_DATA_DIR."""

    help = __doc__
    requires_system_checks = ()  # what they would ask for is made here

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Raises `CommandError` with what stands in the way."""
        if not conf.demo():
            raise CommandError("Start it as `python manage.py run` or `python -m txt_dashboard run`.")
        options = Options.read(os.environ)
        with told_plainly(), demo.only_one(options.folder):
            demo.require_free(options.host, options.port)
            demo.require_free("127.0.0.1", options.simulator_port)
            if options.cloud:
                demo.require_free("127.0.0.1", options.cloud_port)
            story = demo.story(options)
            self._prepare(options, story)
            self._run(options, story)

    def _prepare(self, options: Options, story: demo.Story) -> None:
        self._say("run", f"Preparing {options.folder}.")
        vault.create_key(conf.vault_key_file())
        keys.create()
        if options.cloud:
            demo.write_cloud_accounts(options)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        give_accounts(demo.password(options))
        give_fleet(options, story)
        connections.close_all()

    def _run(self, options: Options, story: demo.Story) -> None:
        supervisor = Supervisor(_programs(options, story), self._say)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, supervisor.stop)
        threading.Thread(target=self._greet, args=(options,), daemon=True).start()
        supervisor.run()
        self._say("run", "Stopped. The data stays for the next start.")

    def _greet(self, options: Options) -> None:
        """Says where the pages are once they answer."""
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while not _answers(options):
            if time.monotonic() > deadline:
                self._say("run", "The pages do not answer yet. The lines of `web` above may say why.")
                return
            time.sleep(0.2)
        self._say("run", f"Trusted Compute serves at {options.address} with a simulated fleet.")
        self._say("run", f"Accounts: {', '.join(ACCOUNTS)}. Password of each: {demo.password(options)}")
        if options.cloud:
            accounts = " and ".join(demo.CLOUD_ACCOUNTS)
            keystone = f"http://127.0.0.1:{options.cloud_port}/identity/v3"
            self._say("run", f"Accounts at the simulated cloud ({keystone}): {accounts}, with the same password.")
        self._say("run", "Ctrl-C stops it.")

    def _say(self, name: str, line: str) -> None:
        label = f"{name:<9} │"
        if self.stdout.isatty() and "NO_COLOR" not in os.environ:
            label = f"\x1b[{COLOURS[name]}m{label}\x1b[0m"
        self.stdout.write(f"{label} {line}")
        self.stdout.flush()


def _programs(options: Options, story: demo.Story) -> list[Program]:
    host = f"[{options.host}]" if ":" in options.host else options.host
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:txt_dashboard.gunicorn")
    # Celery warns of root because of pickle; only JSON is taken here.
    quietly = ("-W", "ignore:You're running the worker")
    celery = (sys.executable, *quietly, "-m", "celery", "--quiet", "--app", "txt_dashboard.celery")
    cloud = [Program("cloud", demo.cloud_serving(options, story))] if options.cloud else []
    return [
        Program("simulator", demo.simulator_serving(options, story)),
        *cloud,
        Program("web", (*gunicorn, "--bind", f"{host}:{options.port}")),
        Program("worker", (*celery, "worker", "--pool", "threads", "--concurrency", "8")),
        Program("beat", (*celery, "beat")),
    ]


def _answers(options: Options) -> bool:
    """Whether the log-in page comes."""
    connection = http.client.HTTPConnection(options.host, options.port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", resolve_url(settings.LOGIN_URL))
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
