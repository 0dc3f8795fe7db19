"""What the three services have in common: routes, tokens, versions, and answers that say no."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from txt_dashboard.simulator.openstack.tokens import Token, Tokens
from txt_dashboard.simulator.wire import Fault, Reply, Request

Handle = Callable[..., Reply]
NOTHING = Reply(HTTPStatus.NO_CONTENT, b"")
MOST_ROWS = 1000  # of one page, as Nova's default
Version = tuple[int, int]


class Refused(Exception):
    """The request is answered with an error; the sentence goes out as each service writes it."""

    def __init__(self, status: HTTPStatus, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Api(ABC):
    """One service below its prefix."""

    prefix: str

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._routes: list[tuple[str, re.Pattern[str], Handle]] = []

    def on(self, route: str, handle: Handle) -> None:
        """`route` is "METHOD /path", with {} for each part that `handle` gets after the request."""
        method, _, path = route.partition(" ")
        self._routes.append((method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), handle))

    def answer(self, request: Request) -> Reply:
        """The reply to any request below the prefix."""
        path = request.path.removeprefix(self.prefix).rstrip("/")
        try:
            for method, pattern, handle in self._routes:
                if method == request.method and (found := pattern.fullmatch(path)):
                    return handle(request, *map(unquote, found.groups()))
            raise Refused(HTTPStatus.NOT_FOUND, "The resource could not be found.")
        except Refused as refused:
            return self.refusal(refused)

    def token(self, request: Request) -> Token:
        """The token that the request carries; raises `Refused`."""
        found = self.tokens.find(request.headers.get("x-auth-token", ""))
        if found is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, "The request you have made requires authentication.")
        return found

    @abstractmethod
    def refusal(self, refused: Refused) -> Reply:
        """The error as this service writes it."""


def document(request: Request, *path: str) -> Any:
    """What the JSON body has there; raises `Refused`."""
    try:
        found: Any = request.json()
        for key in path:
            found = found[key]
    except (Fault, KeyError, TypeError):
        raise Refused(HTTPStatus.BAD_REQUEST, f"Invalid input: {'.'.join(path) or 'the body'} is missing.") from None
    return found


def require_version(request: Request, service: str, least: Version, most: Version) -> Version:
    """The microversion asked for; raises `Refused` for one that is not spoken here."""
    kind, _, text = request.headers.get("openstack-api-version", "").strip().partition(" ")
    asked = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text) if kind == service else None
    version = (int(asked[1]), int(asked[2])) if asked else most if text == "latest" else (0, 0)
    if not least <= version <= most:
        spoken = f"{least[0]}.{least[1]} to {most[0]}.{most[1]}"
        sentence = f"Version {text[:20] or 'none'} is not supported by the simulation: {spoken} are."
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, sentence)
    return version


def page(request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows after `marker`, `limit` at most; raises `Refused`."""
    marker, limit = request.query.get("marker", ""), request.query.get("limit", "")
    ids = [row["id"] for row in rows]
    if marker and marker not in ids:
        raise Refused(HTTPStatus.BAD_REQUEST, f"marker [{marker}] not found")
    if limit and not (limit.isascii() and limit.isdigit()):
        raise Refused(HTTPStatus.BAD_REQUEST, f"Invalid input for query parameters limit. Value: {limit}.")
    start = ids.index(marker) + 1 if marker else 0
    return rows[start : start + min(MOST_ROWS, int(limit[:9] or MOST_ROWS))]
