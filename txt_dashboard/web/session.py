"""Log-in with local accounts, and log-out for all. Failures are counted and throttled by django-axes."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from txt_dashboard.actions import keystone_sessions
from txt_dashboard.web.keystone import described, entry_of


class LogIn(LoginView):
    """The log-in page. Who is logged in already goes on to the fleet."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the cloud by whose Keystone one can log in, too."""
        return super().get_context_data(**kwargs) | described()


@method_decorator(login_not_required, name="dispatch")
class LogOut(LogoutView):
    """Ends the session; POST only, so that no link or picture can do it. Tokens of Keystone end with it.

    For everybody: also who may see nothing else must be able to leave.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Revokes first: afterwards nobody has the tokens any more."""
        entry = entry_of(request)
        if entry is not None:
            keystone_sessions.leave(entry)
        return super().post(request, *args, **kwargs)
