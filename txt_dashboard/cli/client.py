"""Speaking to the API: credentials from the environment or files, every failure a sentence."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

TIMEOUT_S = (5.0, 60.0)  # to connect, and between two pieces of an answer
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PASSING = frozenset({429, 502, 503})
_LARGEST = 64 * 1024  # bytes of a file that holds a key


class CommandFailed(Exception):
    """The sentence for the person, and the exit code. `passing`: the same may succeed in a moment."""

    def __init__(self, sentence: str, code: int, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.code = code
        self.passing = passing


REFUSED, MISUSED, UNREACHABLE, FOUND = 1, 2, 3, 4


class _Credentials(AuthBase):
    """Sets our header, and keeps requests from putting one of ~/.netrc in its place."""

    def __init__(self, header: str, value: str) -> None:
        self._header, self._value = header, value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """As requests calls it."""
        request.headers[self._header] = self._value
        return request


class Client:
    """The API at one address. Raises `CommandFailed`."""

    def __init__(self, url: str, header: str, value: str, ca_file: str = "") -> None:
        self._url = url
        self._session = requests.Session()
        self._session.auth = _Credentials(header, value)
        self._verify: bool | str = ca_file or True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Client":
        """As docs/api.md describes the variables."""
        url = environment.get("TXT_API_URL", "").rstrip("/").removesuffix("/v1")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandFailed("TXT_API_URL says where the service is, like https://trust.example.org.", MISUSED)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise CommandFailed("TXT_API_URL must begin with https: others could read the key on its way.", MISUSED)
        header, value = _credentials(environment)
        return cls(url, header, value, environment.get("TXT_API_CA_FILE", ""))

    def get(self, *path: str, **query: Any) -> Any:
        """What the address answers."""
        return self._ask(
            "GET", path, params={name: value for name, value in query.items() if value not in (None, "")}
        )

    def post(self, *path: str, body: Mapping[str, Any]) -> Any:
        """What comes of it."""
        return self._ask("POST", path, json=body)

    def put(self, *path: str, body: Mapping[str, Any], **query: Any) -> Any:
        """What comes of it."""
        params = {name: value for name, value in query.items() if value not in (None, "")}
        return self._ask("PUT", path, json=body, params=params)

    def items(self, *path: str, **query: Any) -> Iterator[Any]:
        """All items of a list, page by page."""
        marker: str | None = ""
        while marker is not None:
            page = self.get(*path, **query, marker=marker)
            yield from page["items"]
            marker = page["next"]

    def _ask(self, method: str, path: tuple[str, ...], **options: Any) -> Any:
        address = "/".join([self._url, "v1", *(quote(step, safe="") for step in path)])
        try:
            response = self._session.request(
                method, address, timeout=TIMEOUT_S, allow_redirects=False, verify=self._verify, **options
            )
            told = response.json() if response.content else {}
        except (requests.JSONDecodeError, RecursionError):
            raise CommandFailed(
                f"What answers at {self._url} is not the API: is TXT_API_URL right?", REFUSED
            ) from None
        except requests.exceptions.SSLError:
            sentence = f"The certificate of {self._url} is not good, or of an unknown authority (TXT_API_CA_FILE)."
            raise CommandFailed(sentence, UNREACHABLE) from None
        except (requests.RequestException, OSError) as error:
            sentence = f"{self._url} can't be reached: {type(error).__name__}."
            raise CommandFailed(sentence, UNREACHABLE, passing=True) from None
        if response.status_code >= 300 or not isinstance(told, dict):
            detail = told.get("detail") if isinstance(told, dict) else None
            sentence = str(detail or f"The service answered {response.status_code}.")
            raise CommandFailed(sentence, REFUSED, passing=response.status_code in _PASSING)
        return told


def _credentials(environment: Mapping[str, str]) -> tuple[str, str]:
    key = environment.get("TXT_API_KEY") or _read(environment.get("TXT_API_KEY_FILE", ""))
    if key:
        return "Authorization", f"Bearer {_sent(key)}"
    token = environment.get("OS_TOKEN") or _read(environment.get("TXT_API_TOKEN_FILE", ""))
    if token:
        return "X-Auth-Token", _sent(token)
    names = "TXT_API_KEY, TXT_API_KEY_FILE, OS_TOKEN or TXT_API_TOKEN_FILE"
    raise CommandFailed(f"There is neither a key nor a token: set {names}.", MISUSED)


def _read(path: str) -> str:
    if not path:
        return ""
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(_LARGEST).decode("ascii").strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise CommandFailed(f"{path} can't be read: {type(error).__name__}.", MISUSED) from None


def _sent(secret: str) -> str:
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise CommandFailed("The key or token holds signs that none has.", MISUSED)
    return secret
