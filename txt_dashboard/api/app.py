"""The API's frame: who may ask, how bodies are read and answers written, and its own description."""

from functools import cached_property
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.renderers import BaseRenderer

from txt_dashboard.api import auth, problems
from txt_dashboard.api.parameters import StrictParser
from txt_dashboard.api.problems import CODES, MEDIA_TYPE, Problem

_DESCRIPTION = """Which hosts still boot what was approved. The same verbs as the pages: what a person may not do
there, their key may not do here, and keys never approve. Failures are problem documents (RFC 9457)."""


class FastRenderer(BaseRenderer):
    """Writes answers as JSON; moments in RFC 3339."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """The answer's bytes."""
        return msgspec.json.encode(data)


class Api(NinjaAPI):
    """Ninja's, with operations named after their functions, and problems described as what they are."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """As clients call it."""
        return str(operation.view_func.__name__)

    @cached_property
    def description_document(self) -> dict[str, Any]:
        """The OpenAPI description, as JSON types."""
        document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(self.get_openapi_schema())))
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) in CODES and "content" in answer:
                        answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
        return document


def answers(model: Any, status: int = 200) -> dict[Any, Any]:
    """What a route answers: this, or a problem."""
    return {status: model, CODES: Problem}


api = Api(
    title="Trusted Compute",
    version="1",
    description=_DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
    auth=list(auth.CREDENTIALS),
    renderer=FastRenderer(),
    parser=StrictParser(),
)
problems.install(api)
