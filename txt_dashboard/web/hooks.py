"""Where a Keylime verifier sends its notices. No person comes here: whoever knows the secret in the path may."""

import hmac
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from txt_dashboard import conf
from txt_dashboard.actions.doorbell import ring
from txt_dashboard.actions.notices import take_notice
from txt_dashboard.servers.keylime_notice import LARGEST, BadNotice, read_notice


@csrf_exempt
@login_not_required
@require_POST
def keylime(request: HttpRequest, secret: str) -> HttpResponse:
    """Has the host that the notice is about asked for soon. Whether there is such a host is not told.

    Keylime takes 200 and 202 only for an answer; after any other it sends the same again.
    """
    server = _whose(secret)
    if not server:
        raise Http404
    try:
        agent = read_notice(request.read(LARGEST + 1))
    except (BadNotice, UnreadablePostError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if take_notice(server, agent, now=timezone.now()):
        ring()
    return HttpResponse(status=HTTPStatus.ACCEPTED)


def _whose(secret: str) -> str:
    """The server that this secret was given to; takes the same time for any guess."""
    given = secret.encode(errors="surrogatepass")
    known = conf.keylime_hooks().items()
    found = [name for name, expected in known if hmac.compare_digest(given, expected.encode()) and expected]
    return found[0] if found else ""
