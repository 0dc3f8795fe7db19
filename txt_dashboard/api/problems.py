"""Every failure is a problem document (RFC 9457): a sentence to act on, and the request's id for whoever asks us."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel

from txt_dashboard.actions.permissions import (
    ActionError,
    CloudFailed,
    Conflict,
    Invalid,
    ManyLosses,
    NotAllowed,
    NotFound,
)

MEDIA_TYPE = "application/problem+json"
CODES = frozenset({400, 401, 403, 404, 409, 429, 500, 502, 503})
CHALLENGE = 'Bearer realm="Trusted Compute", Keystone realm="Trusted Compute"'
_STATUS: Mapping[type[ActionError], HTTPStatus] = {
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    ManyLosses: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.BAD_REQUEST,
    CloudFailed: HTTPStatus.BAD_GATEWAY,
}
_NO_CREDENTIALS = "Send an API key as `Authorization: Bearer …`, or a Keystone token as `X-Auth-Token: …`."
_ANYWHERE = "There is nothing at this address. /v1/openapi.json describes what there is."

log = structlog.get_logger()


class Problem(BaseModel):
    """What went wrong. `errors` names what of the request can't be used, by its place in it.

    `losses` is how many hosts would lose their trust, where the request must name that number.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: dict[str, list[str]] = {}
    losses: int | None = None


class Refused(Exception):
    """The credentials are no good, or too many were not: the status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, retry_after_s: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


def problem(
    request: HttpRequest,
    status: int,
    detail: str,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
    losses: int | None = None,
) -> HttpResponse:
    """The answer for a failure."""
    status = HTTPStatus(status)
    told = Problem(
        title=status.phrase,
        status=status,
        detail=detail,
        request_id=getattr(request, "request_id", ""),
        errors={name: list(sentences) for name, sentences in (errors or {}).items()},
        losses=losses,
    )
    body = msgspec.json.encode(told.model_dump(exclude_none=True))
    response = HttpResponse(body, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def of_status(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The problem for an answer that some other part of the stack gave: unknown addresses, methods, crashes."""
    status = response.status_code
    sentences = {
        HTTPStatus.NOT_FOUND: _ANYWHERE,
        HTTPStatus.METHOD_NOT_ALLOWED: f"This address does not take {request.method}.",
    }
    sentence = sentences.get(HTTPStatus(status), "The request could not be answered.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        sentence = _CRASHED
    kept = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
    return problem(request, status, sentence, headers=kept)


_CRASHED = "That is a mistake of ours. Nothing of it was done; give the request's id to whoever runs this service."


def install(api: NinjaAPI) -> None:
    """Has the API tell all failures this way."""
    api.add_exception_handler(ActionError, _of_verb)
    api.add_exception_handler(ValidationError, _of_validation)
    api.add_exception_handler(Refused, _of_credentials)
    api.add_exception_handler(AuthenticationError, _without_credentials)
    api.add_exception_handler(HttpError, _of_http)
    api.add_exception_handler(Http404, _of_nothing)
    api.add_exception_handler(OperationalError, _of_database)
    api.add_exception_handler(Exception, _of_crash)


def _of_verb(request: HttpRequest, error: Any) -> HttpResponse:
    errors = error.errors if isinstance(error, Invalid) else None
    losses = error.losses if isinstance(error, ManyLosses) else None
    status = _STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
    return problem(request, status, str(error), errors=errors, losses=losses)


def _of_validation(request: HttpRequest, error: Any) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for each in error.errors[:20]:
        place = ".".join(str(step) for step in each["loc"])[:120]
        errors.setdefault(place, []).append(str(each["msg"]).rstrip(".") + ".")
    first = next(iter(errors.items()), ("request", ["It can't be used."]))
    return problem(request, HTTPStatus.BAD_REQUEST, f"{first[0]}: {first[1][0]}", errors=errors)


def _of_credentials(request: HttpRequest, error: Any) -> HttpResponse:
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
    return problem(request, error.status, str(error), headers=headers)


def _without_credentials(request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(request, HTTPStatus.UNAUTHORIZED, _NO_CREDENTIALS)


def _of_http(request: HttpRequest, error: Any) -> HttpResponse:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return problem(
            request, error.status_code, "The body is no JSON that can be read: UTF-8, without NUL, at most 2.5 MB."
        )
    return problem(request, error.status_code, str(error))


def _of_nothing(request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(request, HTTPStatus.NOT_FOUND, _ANYWHERE)


def _of_database(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("database_unavailable", exc_info=error)
    sentence = "The database can't be used at the moment. Try again in some seconds."
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, sentence, headers={"Retry-After": "10"})


def _of_crash(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("api_request_failed", request_id=getattr(request, "request_id", ""), path=request.path, exc_info=error)
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, _CRASHED)
