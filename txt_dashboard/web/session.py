"""Log-in and log-out with local accounts. Failures are counted and throttled by django-axes."""

from django.contrib.auth.views import LoginView, LogoutView


class LogIn(LoginView):
    """The log-in page. Who is logged in already goes on to the fleet."""

    redirect_authenticated_user = True


class LogOut(LogoutView):
    """Ends the session; POST only, so that no link or picture can do it."""
