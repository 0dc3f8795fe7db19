"""Who may ask PollHosts: whoever sends the blob, or shows a client certificate to the proxy before us. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

_BLOB = "HTTP_X_AUTH_BLOB"


@dataclass(frozen=True, slots=True)
class Clients:
    """What is configured. A header counts only where a setting names it: anybody can send any other."""

    blob: str = field(default="", repr=False)
    header: str = ""  # in which the proxy says whose certificate it has verified
    certificates: tuple[str, ...] = ()  # what it may say

    @property
    def any(self) -> bool:
        """Whether anybody may ask."""
        return bool(self.blob or (self.header and self.certificates))

    def admits(self, meta: Mapping[str, object]) -> bool:
        """Whether the request with these headers, as WSGI names them, may ask. Takes the same time for any guess."""
        blob = bool(self.blob) and _equal(_text(meta, _BLOB), self.blob)
        shown = _text(meta, f"HTTP_{self.header.upper().replace('-', '_')}") if self.header else ""
        certificate = [_equal(shown, each) for each in self.certificates if self.header and each]
        return blob or any(certificate)


def _text(meta: Mapping[str, object], key: str) -> str:
    found = meta.get(key)
    return found if isinstance(found, str) else ""


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
