"""The heartbeat at its well-known address, as a worker signed it last. Nothing in it is secret."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from txt_dashboard.models import Cloud


@login_not_required
@require_safe
def heartbeat(request: HttpRequest, cloud: str = "") -> HttpResponse:
    """Of the cloud that is named, or of the only one; 404 where there is none, 503 before the first."""
    found = Cloud.objects.filter(name=cloud) if cloud else Cloud.objects.all()
    signed = list(found.values_list("heartbeat", flat=True)[:2])
    if len(signed) != 1:
        raise Http404
    status = HTTPStatus.OK if signed[0] else HTTPStatus.SERVICE_UNAVAILABLE
    return HttpResponse(signed[0], status=status, content_type="application/json")
