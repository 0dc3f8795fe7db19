"""What can be done with an attestation server: test the connection, and ask for all of its evidence."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import records
from txt_dashboard_panel.pages import TrustForm, TrustFormView


class TestForm(TrustForm):
    """Nothing to fill in: only to be sure."""

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Has a worker test the connection."""
        name = self.initial["name"]
        records.test_server(request, name)
        return _("A worker tests the connection to %(name)s in its next turn.") % {"name": name}


class PollForm(TrustForm):
    """The same."""

    def act(self, request: Any, data: dict[str, Any]) -> str:
        """Asks for new evidence of all its hosts."""
        name = self.initial["name"]
        poll = records.poll_server(request, name)
        told = {"name": name, "total": poll.total}
        return _("%(name)s is asked for new evidence of %(total)s hosts.") % told


class _ServerFormView(TrustFormView):
    success_url = reverse_lazy("horizon:admin:trust_servers:index")

    def get_initial(self) -> dict[str, Any]:
        """Which server."""
        return {"name": self.kwargs["name"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With its name."""
        return {**super().get_context_data(**kwargs), "name": self.kwargs["name"]}


class TestView(_ServerFormView):
    """Asks whether to test the connection."""

    rule = "trust:test_server"
    form_class = TestForm
    form_id = "trust_test_form"
    page_title = gettext_lazy("Test {{ name }}")
    submit_label = gettext_lazy("Test")
    explanation = gettext_lazy("A worker tries the connection; this page shows what came of it.")


class PollView(_ServerFormView):
    """Asks whether to ask for new evidence of all hosts."""

    rule = "trust:poll"
    form_class = PollForm
    form_id = "trust_poll_form"
    page_title = gettext_lazy("Poll {{ name }} now")
    submit_label = gettext_lazy("Poll now")
    explanation = gettext_lazy("All its hosts are asked for new evidence at once, not only those that are due.")
