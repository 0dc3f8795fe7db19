"""What can go wrong between us and a cloud: which call to which endpoint failed, and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call, for the sentence about its failure."""

    cloud: str
    service: str  # Keystone, Nova, Placement
    endpoint: str  # empty where it is not known yet
    what: str  # what we wanted, as an infinitive: "list the hypervisors"

    def __str__(self) -> str:
        endpoint = f" ({self.endpoint})" if self.endpoint else ""
        return f"{self.service} of cloud {self.cloud}{endpoint} was asked to {self.what}"


class CloudError(Exception):
    """A cloud could not be asked, refused, or its answer can't be used.

    `code` is stable. The message is one sentence for an operator: call, endpoint, what happened, what to do.
    It quotes nothing of an answer's body but a request id, and no credentials.
    """

    code = "cloud_error"

    def __init__(self, call: Call | None, clause: str, request_id: str = "") -> None:
        self.call = call
        self.clause = clause
        self.request_id = request_id
        sentence = f"{call}: {clause}" if call else clause
        super().__init__(f"{sentence} [{request_id}]" if request_id else sentence)


class Misconfigured(CloudError):
    """The configuration of the cloud itself can't be used; nobody was asked."""

    code = "misconfigured"

    def __init__(self, clause: str) -> None:
        super().__init__(None, clause)


class Unreachable(CloudError):
    """No connection, no complete answer in time, or a fault of the moment (502, 503, 504)."""

    code = "unreachable"


class CertificateRefused(CloudError):
    """TLS failed: expired, another name, or signed by an authority that we were not given."""

    code = "certificate"


class LoginRefused(CloudError):
    """Keystone does not take the account, or the token is no longer good."""

    code = "login_refused"


class RoleMissing(CloudError):
    """The account may not make this call (403)."""

    code = "role_missing"


class NoSuchService(CloudError):
    """The catalog names no such service in this region and interface."""

    code = "no_such_service"


class VersionUnsupported(CloudError):
    """The service is too old for what we need of it."""

    code = "version_unsupported"


class NotThere(CloudError):
    """What the call names does not exist (404)."""

    code = "not_there"


class StaleGeneration(CloudError):
    """Somebody changed the provider since it was read (409, `placement.concurrent_update`): read it again."""

    code = "stale_generation"


class Conflict(CloudError):
    """Another conflict (409): somebody changes the same thing at this moment, or it is in use."""

    code = "conflict"


class RequestRefused(CloudError):
    """The service finds the request itself wrong (400 and other 4xx)."""

    code = "request_refused"


class ServiceFailed(CloudError):
    """The service failed at it (500): its own log says why."""

    code = "service_failed"


class AnswerUnusable(CloudError):
    """The answer is not what the contract says: no JSON, too large, a redirect, another shape."""

    code = "answer_unusable"
