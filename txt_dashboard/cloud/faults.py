"""Names what went wrong below us: keystoneauth's and novaclient's exceptions become `CloudError`s."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum

from keystoneauth1 import exceptions as faults

from txt_dashboard.cloud import errors
from txt_dashboard.cloud.errors import Call, CloudError
from txt_dashboard.cloud.transport import Redirected, TooLarge

_Failure = Callable[[Call, str], CloudError]
_REQUEST_ID = re.compile(r"req-[0-9a-f-]{36}", re.ASCII)
_STALE = b"placement.concurrent_update"
_REFUSED_CERTIFICATE = (
    "it shows a certificate that has expired, names another host, or is of an authority not in cacert"
)


class Role(Enum):
    """The least role that a call needs by the defaults of Keystone, Nova and Placement."""

    ADMIN = "the role admin"
    SERVICE = "the role service (or admin)"
    MEMBER = "a role in the project"


# The first that fits.
_BY_FAULT: tuple[tuple[type[Exception], _Failure, str], ...] = (
    (faults.SSLError, errors.CertificateRefused, _REFUSED_CERTIFICATE),
    (faults.ConnectTimeout, errors.Unreachable, "no complete answer came in time: is it overloaded or cut off?"),
    (faults.ConnectionError, errors.Unreachable, "there is no connection: is it running, and is the address right?"),
    (faults.DiscoveryFailure, errors.Unreachable, "it does not say which versions it speaks: is the address right?"),
    (faults.CatalogException, errors.NoSuchService, "the catalog has no such service: check region and interface"),
    (Exception, errors.LoginRefused, "the log-in failed: check account, password, project and domains"),
)
_BY_STATUS: Mapping[int, tuple[Callable[[Call, str, str], CloudError], str]] = {
    401: (
        errors.LoginRefused,
        "it takes neither the token nor the account (401): check account, password and project",
    ),
    404: (errors.NotThere, "it does not have that (404)"),
    406: (errors.VersionUnsupported, "it does not speak the version asked for (406)"),
    409: (errors.Conflict, "somebody changes the same at this moment, or it is in use (409): try again"),
    500: (errors.ServiceFailed, "it failed (500): look into its log"),
    502: (errors.Unreachable, "a proxy before it answered 502: is it running?"),
    503: (errors.Unreachable, "it answered 503: is it starting or overloaded?"),
    504: (errors.Unreachable, "a proxy before it answered 504: is it overloaded?"),
}


@contextmanager
def named(call: Call, role: Role | None) -> Iterator[None]:
    """Makes every failure inside the `CloudError` that it means; errors of our own code pass."""
    try:
        yield
    except (faults.ClientException, faults.RetriableConnectionFailure) as error:
        raise _of_keystoneauth(call, role, error) from None
    except CloudError:
        raise
    except Exception as error:
        # novaclient need not be installed where only Placement is asked, so its exceptions are known by their home.
        status = getattr(error, "code", None)
        if type(error).__module__ != "novaclient.exceptions" or not isinstance(status, int):
            raise
        raise _by_status(call, role, status, getattr(error, "request_id", None)) from None


def _of_keystoneauth(call: Call, role: Role | None, error: Exception) -> CloudError:
    if isinstance(error, faults.HttpError):
        if error.response is not None and error.http_status == 409 and _STALE in error.response.content:
            return errors.StaleGeneration(call, "somebody changed it since it was read (409)", _id(error.request_id))
        return _by_status(call, role, error.http_status, error.request_id)
    cause = error.original if isinstance(error, faults.UnknownConnectionError) else None
    if isinstance(cause, Redirected):
        return errors.AnswerUnusable(call, "it answered with a redirect, which is not followed: correct the endpoint")
    if isinstance(cause, TooLarge):
        return errors.AnswerUnusable(call, "its answer is larger than allowed, or compressed")
    return next(failure(call, clause) for kind, failure, clause in _BY_FAULT if isinstance(error, kind))


def _by_status(call: Call, role: Role | None, status: int, request_id: object) -> CloudError:
    if status == 403:
        needs = f"the account needs {role.value}, or a policy that allows it" if role else "the account may not"
        return errors.RoleMissing(call, f"it answered 403: {needs}", _id(request_id))
    if status in _BY_STATUS:
        failure, clause = _BY_STATUS[status]
        return failure(call, clause, _id(request_id))
    if status >= 500:
        return errors.ServiceFailed(call, f"it failed ({status}): look into its log", _id(request_id))
    return errors.RequestRefused(call, f"it refused the request ({status})", _id(request_id))


def _id(told: object) -> str:
    return told if isinstance(told, str) and _REQUEST_ID.fullmatch(told) else ""
