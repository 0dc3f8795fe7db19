"""The two addresses at which clients look for PollHosts."""

from datetime import datetime
from http import HTTPStatus

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from txt_dashboard import conf
from txt_dashboard.actions.clouds.asked import asked
from txt_dashboard.pollhosts import wire
from txt_dashboard.pollhosts.clients import Clients
from txt_dashboard.queries.told import told


@csrf_exempt
@login_not_required
@require_POST
def poll_hosts(request: HttpRequest) -> HttpResponse:
    """What is known of each host that is asked for, at this moment and from the database alone."""
    clients = Clients(*conf.pollhosts())
    if not clients.any:
        raise Http404
    if not clients.admits(request.META):
        return _refused(HTTPStatus.UNAUTHORIZED, "Neither the blob nor the certificate is one that counts here.")
    try:
        names = wire.read(request.read(wire.LARGEST + 1))
    except wire.BadQuestion as error:
        return _refused(HTTPStatus.BAD_REQUEST, str(error))
    except UnreadablePostError:
        return _refused(HTTPStatus.BAD_REQUEST, "The question broke off.")
    now = timezone.now()
    return _Answer(wire.write(told(names, now), now), now)


class _Answer(HttpResponse):
    """What was asked for. That somebody asked is noted once the answer is sent: nobody waits for that."""

    def __init__(self, content: bytes, at: datetime) -> None:
        super().__init__(content, content_type="application/json")
        self._at = at

    def close(self) -> None:
        """As the server calls it, after the last byte."""
        asked.note(self._at)
        super().close()


def _refused(status: HTTPStatus, sentence: str) -> HttpResponse:
    return HttpResponse(msgspec.json.encode({"error": sentence}), status=status, content_type="application/json")
