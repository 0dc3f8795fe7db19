"""Where a request comes from."""

from django.http import HttpRequest

from txt_dashboard import conf


def client_address(request: HttpRequest) -> str:
    """The address that guesses are counted by: the one that the outermost of our proxies saw.

    Each proxy appends whom it saw; what stands before that is the client's own claim.
    """
    seen = [address.strip() for address in request.headers.get("X-Forwarded-For", "").split(",")]
    if 0 < conf.proxies() <= len(seen) and seen[-conf.proxies()]:
        return seen[-conf.proxies()]
    return str(request.META.get("REMOTE_ADDR", ""))
