"""One request to the service: with the person's own token, in bounded time, and every failure a sentence."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from horizon import exceptions as horizon_exceptions
from openstack_dashboard.api import base
from requests.adapters import HTTPAdapter

from txt_dashboard_panel.api.reading import Unreadable, read
from txt_dashboard_panel.exceptions import Conflict, Invalid, ManyLosses, NotFound, Refused, TrustError, Unavailable

LOG = logging.getLogger(__name__)

SERVICE = "trusted-compute"
CONNECT_S, READ_S = 3.0, 10.0
LARGEST = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_REFUSALS: Mapping[int, type[TrustError]] = {401: Refused, 403: Refused, 404: NotFound, 409: Conflict, 429: Refused}

_Value = TypeVar("_Value")

# Below requests' sessions, which keep cookies, follow redirects and read ~/.netrc: a token must meet none of that.
_adapter = HTTPAdapter(pool_connections=4, pool_maxsize=16, max_retries=0)


def get(request: Any, kind: type[_Value], *path: str, **query: Any) -> _Value:
    """What the address answers, as this dataclass. Raises `TrustError`."""
    return _as(kind, ask(request, "GET", path, query=query))


def post(request: Any, kind: type[_Value], *path: str, body: Mapping[str, Any]) -> _Value:
    """What comes of it. Raises `TrustError`."""
    return _as(kind, ask(request, "POST", path, body=body))


def put(request: Any, kind: type[_Value], *path: str, body: Mapping[str, Any]) -> _Value:
    """What comes of it. Raises `TrustError`."""
    return _as(kind, ask(request, "PUT", path, body=body))


def ask(
    request: Any,
    method: str,
    path: tuple[str, ...],
    *,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Any:
    """The answer's JSON. Raises `TrustError`."""
    if any(step in ("", ".", "..") for step in path):
        raise NotFound(_("There is nothing of this name."))
    address = "/".join([_root(request), *(quote(step, safe="") for step in path)])
    headers = {"X-Auth-Token": request.user.token.id, "Accept": "application/json"}
    params = {name: _text(value) for name, value in (query or {}).items() if value not in (None, "", False)}
    prepared = requests.Request(method, address, headers=headers, params=params, json=body).prepare()
    status, content = _send(prepared)
    told = _decoded(content)
    if 200 <= status < 300 and told is not None:
        return told
    raise _failure(status, told)


def _root(request: Any) -> str:
    try:
        url = str(base.url_for(request, SERVICE))
    except horizon_exceptions.ServiceCatalogException:
        raise Unavailable(_("The service Trusted Compute is not in Keystone's catalog of this region.")) from None
    if not url.startswith(("http://", "https://")):
        raise Unavailable(_("What Keystone's catalog says of the service Trusted Compute is no address."))
    root = url.rstrip("/")
    return root if root.endswith("/v1") else f"{root}/v1"


def _send(prepared: requests.PreparedRequest) -> tuple[int, bytes]:
    """Status and body, within `READ_S` seconds in all once connected."""
    authority = getattr(settings, "OPENSTACK_SSL_CACERT", None)
    verify = not getattr(settings, "OPENSTACK_SSL_NO_VERIFY", False) and (authority or True)
    ends = time.monotonic() + CONNECT_S + READ_S
    try:
        with _sent(prepared, stream=True, timeout=(CONNECT_S, READ_S), verify=verify) as response:
            return response.status_code, _body(response, ends)
    except requests.exceptions.SSLError:
        LOG.warning("The certificate of %s is not accepted.", prepared.url)
        sentence = _("The certificate of the service Trusted Compute is not accepted here.")
    except requests.Timeout:
        LOG.warning("%s did not answer in time.", prepared.url)
        sentence = _("The service Trusted Compute did not answer in time.")
    except (requests.RequestException, OSError, ValueError) as error:
        LOG.warning("%s can't be reached: %s", prepared.url, error)
        sentence = _("The service Trusted Compute can't be reached.")
    raise Unavailable(sentence)


def _sent(prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
    """A service may close a kept connection just when it is used again: what only reads is sent once more then.

    What acts never goes over a kept one, so that nobody has to guess whether it was done.
    """
    if prepared.method != "GET":
        return HTTPAdapter(max_retries=0).send(prepared, **options)
    try:
        return _adapter.send(prepared, **options)
    except (requests.Timeout, requests.exceptions.SSLError):
        raise
    except requests.ConnectionError:
        return _adapter.send(prepared, **options)


def _body(response: requests.Response, ends: float) -> bytes:
    content = b""
    for piece in response.iter_content(_CHUNK):
        content += piece
        if time.monotonic() > ends:
            raise requests.Timeout
        if len(content) > LARGEST:
            raise requests.RequestException("the answer is too large")
    return content


def _decoded(content: bytes) -> Any:
    """JSON, or `None`."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _as(kind: type[_Value], told: object) -> _Value:
    try:
        return read(kind, told)
    except (Unreadable, RecursionError) as error:
        LOG.warning("An answer of Trusted Compute can't be read at %s.", error)
        raise Unavailable(_("What the service Trusted Compute answered makes no sense here.")) from None


def _failure(status: int, told: object) -> TrustError:
    problem = told if isinstance(told, dict) else {}
    detail = str(problem.get("detail") or "")[:1000]
    if not detail or status >= 500 or status < 400:
        LOG.warning("Trusted Compute answered %s, request %s.", status, problem.get("request_id", "unknown"))
        said = detail or _("It answered with status %(status)s.") % {"status": status}
        return Unavailable(_("The service Trusted Compute failed.") + " " + said)
    if status == 409 and type(losses := problem.get("losses")) is int:
        return ManyLosses(detail, losses)
    if status == 400:
        return Invalid(detail, _sentences(problem.get("errors")))
    return _REFUSALS.get(status, Unavailable)(detail)


def _sentences(errors: object) -> dict[str, list[str]]:
    found = errors if isinstance(errors, dict) else {}
    return {str(place): [str(each) for each in said] for place, said in found.items() if isinstance(said, list)}


def _text(value: object) -> str:
    return "true" if value is True else str(value)
