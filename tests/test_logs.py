"""The log: one line each, no secrets, nothing that a stranger could forge."""

import json
import logging

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard import logs


@pytest.fixture
def log_as(monkeypatch, capsys):
    """Configures the log for one test and gives back what was written."""
    before = logging.root.handlers[:], logging.root.level, structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in logs.NOISY}

    def configure(*, json: bool, level: str = "INFO"):
        logs.configure({"json": json, "level": level})
        return lambda: capsys.readouterr().err

    yield configure
    logging.root.handlers[:], logging.root.level = before[:2]
    structlog.configure(**before[2])
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)


def test_both_kinds_of_loggers_write_the_same_json(log_as):
    written = log_as(json=True)
    logging.getLogger("somebody").warning("The server %s hangs.", "oat-1")
    structlog.get_logger("somebody").warning("The server %s hangs.", "oat-1", failures=3)
    first, second = map(json.loads, written().splitlines())
    assert first.pop("at").endswith("Z")
    assert first == {"event": "The server oat-1 hangs.", "level": "warning", "logger": "somebody"}
    assert second["event"] == first["event"]
    assert second["failures"] == 3


def test_the_demonstration_writes_one_calm_line(log_as):
    written = log_as(json=False)
    structlog.get_logger("somebody").warning("The server hangs.", server="oat-1")
    line = written()
    assert line[8:] == " warning  The server hangs. server=oat-1\n"


def test_an_error_is_one_line_for_people_and_a_traceback_when_debugging(log_as):
    def fail():
        try:
            raise ValueError("first\nsecond")
        except ValueError:
            logging.getLogger("somebody").exception("It failed.")

    written = log_as(json=False)
    fail()
    assert written().endswith("It failed. (ValueError: first second)\n")
    written = log_as(json=False, level="DEBUG")
    fail()
    first, *more = written().splitlines()
    assert first.endswith("It failed.")
    assert len(more) > 3
    assert all(line.startswith("    ") for line in more)


def test_json_keeps_the_traceback_in_its_line(log_as):
    written = log_as(json=True)
    try:
        raise ValueError("password=hunter2 is wrong")
    except ValueError:
        logging.getLogger("somebody").exception("It failed.")
    text = written()
    assert text.count("\n") == 1
    assert "Traceback" in json.loads(text)["exception"]
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "name", ["auth_blob", "X-Auth-Blob", "password", "api_token", "Authorization", "client_secret"]
)
@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_are_cut_out_by_name(log_as, name, as_json):
    written = log_as(json=as_json)
    structlog.get_logger("a").info("Asking.", **{name: "hunter2"}, headers={name: "hunter2"}, all=[{name: "hunter2"}])
    text = written()
    assert "hunter2" not in text
    assert text.count(logs.CUT) == 3


@pytest.mark.parametrize(
    "text",
    [
        "{'X-Auth-Blob': 'hunter2'}",
        'send: "Authorization: Bearer hunter2"',
        "Authorization: Basic hunter2",
        "ServerSettings(name='oat', auth_blob='hunter2')",
        "amqp://user:hunter2@broker:5672//",
        "https://oat/?token=hunter2&x=1",
    ],
)
def test_secrets_are_cut_out_of_text(log_as, text):
    written = log_as(json=False)
    logging.getLogger("a").info(text)
    assert "hunter2" not in written()


@given(st.text())
def test_no_text_makes_a_second_line(text):
    event = {"at": "2026-01-01T00:00:00Z", "level": "info", "event": text, "host": text, text + "name": 1}
    assert logs.one_line(None, "info", event).isprintable()


def test_a_hostile_name_can_not_forge_a_line(log_as):
    written = log_as(json=False)
    logging.getLogger("a").info("Host %s", "x\n12:00:00 info     Everything is fine.\x1b[2J\u202e")
    text = written()
    assert text.count("\n") == 1
    assert r"x\n12:00:00" in text
    assert r"\x1b[2J\u202e" in text


def test_what_comes_with_every_tick_is_not_shown(log_as):
    written = log_as(json=False)
    for name in logs.NOISY:
        logging.getLogger(f"{name}.part").info("every two seconds")
    assert written() == ""
    written = log_as(json=False, level="ERROR")
    logging.getLogger(logs.NOISY[0]).warning("not asked for")
    assert written() == ""
    written = log_as(json=False, level="DEBUG")
    logging.getLogger(logs.NOISY[0]).info("asked for")
    assert "asked for" in written()


def test_a_level_that_is_none_is_named():
    with pytest.raises(ImproperlyConfigured, match="TXT_LOG_LEVEL is LOUD; it can be DEBUG, INFO"):
        logs.configure({"json": True, "level": "loud"})


@pytest.mark.parametrize("json_lines", [True, False])
def test_the_secret_in_the_path_of_notices_is_cut_out(log_as, json_lines):
    written = log_as(json=json_lines)
    logging.getLogger("gunicorn.access").warning('"POST /hooks/keylime/hunter2-hunter2?x=1 HTTP/1.1" 204')
    logging.getLogger("django.request").warning("Not Found: %s", "/hooks/keylime/hunter2-hunter2")
    lines = written()
    assert "hunter2" not in lines
    assert lines.count("/hooks/keylime/[cut]") == 2
