"""What holds for every answer under /v1, also for those that no route of ours gave."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from txt_dashboard.api import problems

PREFIX = "/v1/"
REQUEST_ID = "X-OpenStack-Request-Id"


class ApiMiddleware:
    """Gives each request an id, and makes every failure a problem document. Stands before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answers; pages are left alone."""
        if not f"{request.path_info}/".startswith(PREFIX):
            return self.get_response(request)
        request.request_id = f"req-{uuid4()}"  # type: ignore[attr-defined]
        response = self.get_response(request)
        failed = response.status_code >= HTTPStatus.BAD_REQUEST
        if failed and response.headers.get("Content-Type") != problems.MEDIA_TYPE:
            response = problems.of_status(request, response)
        response.headers[REQUEST_ID] = request.request_id  # type: ignore[attr-defined]
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
