"""Log-in and log-out with local accounts. Failures are counted and throttled by django-axes."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest

from txt_dashboard import conf


class LogIn(LoginView):
    """The log-in page. Who is logged in already goes on to the fleet."""

    redirect_authenticated_user = True


class LogOut(LogoutView):
    """Ends the session; POST only, so that no link or picture can do it."""


def client_address(request: HttpRequest) -> str:
    """The address that guesses are counted by: the one that the outermost of our proxies saw.

    Each proxy appends whom it saw; what stands before that is the client's own claim.
    """
    seen = [address.strip() for address in request.headers.get("X-Forwarded-For", "").split(",")]
    if 0 < conf.proxies() <= len(seen) and seen[-conf.proxies()]:
        return seen[-conf.proxies()]
    return str(request.META.get("REMOTE_ADDR", ""))
