"""The HTTP session below keystoneauth: bounded in time and bytes, and sending no token elsewhere than told."""

import time
from io import BytesIO
from typing import Any

import requests
from requests.exceptions import ReadTimeout, RequestException
from urllib3.exceptions import HTTPError

_CHUNK = 64 * 1024  # bytes
_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})


class TooLarge(RequestException):
    """The answer has more bytes than allowed, or is compressed although we did not ask for that."""


class Redirected(RequestException):
    """The answer leads elsewhere; a token must not follow it."""


class BoundedSession(requests.Session):
    """Reads every answer within its own deadline and limit of bytes.

    Takes no proxies, credentials or authorities from the environment: what counts stands in the configuration.
    """

    def __init__(self, connect_timeout: float, deadline: float, byte_limit: int) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self._timeout = (connect_timeout, deadline)  # seconds
        self._byte_limit = byte_limit

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """As the inherited one, with the whole body read; raises `RequestException`."""
        ends = time.monotonic() + self._timeout[1]
        options |= {"stream": True, "timeout": self._timeout, "allow_redirects": False}
        response = super().send(request, **options)
        try:
            if response.status_code in _REDIRECTS:
                raise Redirected(response=response)
            body = self._read(response, ends)
        except HTTPError as error:
            raise requests.exceptions.ConnectionError(error, response=response) from None
        finally:
            response.close()
        # The stored body takes the place of the stream, so that all that follows reads it as usual.
        response.raw = BytesIO(body)
        return response

    def _read(self, response: requests.Response, ends: float) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise TooLarge(response=response)
        chunks: list[bytes] = []
        size = 0
        # One received piece at a time: a body that trickles is noticed between two of them.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > self._byte_limit:
                raise TooLarge(response=response)
            if time.monotonic() > ends:
                raise ReadTimeout(response=response)
            chunks.append(chunk)
        return b"".join(chunks)
