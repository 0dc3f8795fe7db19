"""One log for all processes: JSON lines in production, calm single lines in the demonstration.

Whoever logs, with structlog or with Python's own logging, ends here: secrets are cut out, and text
from outside can't break a line or move a terminal's cursor.
"""

import logging
import logging.config
import re
from collections.abc import Mapping
from traceback import format_exception
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What they say at INFO comes with every tick or request.
NOISY = (
    "axes",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "gunicorn.access",
    "kombu",
    "urllib3",
)

CUT = "[cut]"
_SECRETS = r"auth[-_]?blob|passw(?:or)?d|token|authorization|secret|cookie|api[-_]?key"
_SECRET_NAME = re.compile(_SECRETS, re.IGNORECASE)
_SECRET_PAIR = re.compile(
    rf"""((?:{_SECRETS})[\w-]*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:(?:Basic|Bearer)\s+)?[^\s,;&"')}}\]]+)""",
    re.IGNORECASE,
)
_SECRET_IN_PATH = re.compile(r"(/hooks/keylime/)[^\s\"'?#]+")
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]*:)(?!\*\*@)[^/\s@]+@")


def configure(config: Mapping[str, Any]) -> None:
    """What Django calls with `LOGGING`: {"json": bool, "level": one of LEVELS}; raises `ImproperlyConfigured`."""
    level = str(config["level"]).upper()
    if level not in LEVELS:
        raise ImproperlyConfigured(f"TXT_LOG_LEVEL is {level}; it can be {', '.join(LEVELS)}.")
    first: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    last = _for_machines() if config["json"] else _for_people(with_traceback=level == "DEBUG")
    _route(level, first, last)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _route(level: str, first: list[Processor], last: list[Processor]) -> None:
    """Sends every logger's records to one handler on stderr."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": first,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    }
    quiet = {"level": level if level == "DEBUG" else max(level, "WARNING", key=LEVELS.index)}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": dict.fromkeys(NOISY, quiet),
        }
    )
    logging.captureWarnings(capture=True)


def _for_machines() -> list[Processor]:
    return [structlog.processors.format_exc_info, clean, structlog.processors.JSONRenderer()]


def _for_people(*, with_traceback: bool) -> list[Processor]:
    describe = _traceback if with_traceback else _sentence
    return [structlog.processors.ExceptionRenderer(describe), clean, one_line]


def clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cuts secrets out of all values, by their names and where text gives them away."""
    return {name: _cleaned(name, value) for name, value in event.items()}


def _cleaned(name: str, value: object) -> object:
    if _SECRET_NAME.search(name):
        return CUT
    if isinstance(value, Mapping):
        return {str(key): _cleaned(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(name, each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _SECRET_PAIR.sub(rf"\1{CUT}", _SECRET_IN_PATH.sub(rf"\1{CUT}", str(value)))
    return _PASSWORD_IN_URL.sub(rf"\1{CUT}@", text)


def one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`12:30:01 warning  The server hangs. server=oat-1`; only a traceback adds lines, each indented."""
    at, level, message = str(event.pop("at"))[11:19], event.pop("level"), str(event.pop("event")).strip()
    event.pop("logger", None)
    head, *more = str(event.pop("exception", "")).splitlines() or [""]
    values = (f"{name}={value}" for name, value in event.items())
    line = " ".join(escaped(str(part)) for part in (f"{at} {level:<8}", message, *values, head) if part)
    return "\n".join([line, *(f"    {escaped(each)}" for each in more)])


def escaped(text: str) -> str:
    """The text with everything that doesn't print (line ends, control and direction signs) as escapes."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _sentence(exc_info: ExcInfo) -> str:
    kind, error, _traceback = exc_info
    return f"({kind.__name__}: {error})".replace("\n", " ")


def _traceback(exc_info: ExcInfo) -> str:
    return "\n" + "".join(format_exception(*exc_info))
