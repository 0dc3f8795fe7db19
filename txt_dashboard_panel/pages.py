"""Views that ask the service once: an answer, or the reason why there is none."""

from typing import Any

from horizon import exceptions, forms, messages, views
from horizon.utils import functions
from openstack_dashboard import policy

from txt_dashboard_panel.exceptions import NotFound, TrustError

SERVICE = "trusted-compute"
MOST = 100


def may(request: Any, rule: str) -> bool:
    """Whether Horizon's policy lets somebody try; the service decides by itself."""
    return bool(policy.check(((SERVICE, rule),), request))


def page_size(request: Any) -> int:
    """How many rows a page has: what the person or the installation chose, as far as the service goes with it."""
    return max(1, min(int(functions.get_page_size(request)), MOST))


class Ruled:
    """A view behind a rule of the policy; the empty one is for whoever sees the panel."""

    rule = ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Raises `NotAuthorized`."""
        if self.rule and not may(request, self.rule):
            raise exceptions.NotAuthorized
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class TrustPage(Ruled, views.HorizonTemplateView):
    """A page about `answer`; where there is none, `problem` says why, and nothing on it is called trusted."""

    def ask(self) -> Any:
        """One request to the service. Raises `TrustError`."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the answer or the problem."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        try:
            context["answer"] = self.ask()
        except TrustError as error:
            context.update(answer=None, problem=str(error), is_missing=isinstance(error, NotFound))
        return context

    def following(self, marker: str | None) -> str:
        """The query of the next page, or nothing."""
        if not marker:
            return ""
        query = self.request.GET.copy()
        query["marker"] = marker
        return str(query.urlencode())


class TrustForm(forms.SelfHandlingForm):
    """A form that makes the service act; what it refuses stands in the form."""

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Acts, and tells in a sentence what came of it. Raises `TrustError`."""
        raise NotImplementedError

    def handle(self, request: Any, data: dict[str, Any]) -> bool:
        """As Horizon calls it."""
        try:
            said = self.act(request, data)
        except TrustError as error:
            self.add_error(None, str(error))
            return False
        messages.success(request, said)
        return True


class TrustFormView(Ruled, forms.ModalFormView):
    """A modal with such a form."""

    template_name = "txt_dashboard_panel/form.html"
    explanation: Any = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what the form is about."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["explanation"] = self.explanation
        context["submit_url"] = self.request.path
        context["danger"] = getattr(self, "danger", False)
        return context
