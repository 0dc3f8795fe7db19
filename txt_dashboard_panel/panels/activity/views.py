"""The activity log: who did what, when and why."""

from typing import Any

from django.utils.translation import gettext_lazy

from txt_dashboard_panel.api import records
from txt_dashboard_panel.pages import TrustPage, page_size

FILTERS = ("actor", "host", "verb")


class IndexView(TrustPage):
    """A page of the log."""

    template_name = "txt_dashboard_panel/activity.html"
    page_title = gettext_lazy("Activity")

    def ask(self) -> records.Activity:
        """The page that the address names."""
        wanted = {"limit": page_size(self.request), "marker": self.request.GET.get("marker", "")}
        return records.activity(self.request, **self.chosen(), **wanted)

    def chosen(self) -> dict[str, str]:
        """The filters of the address."""
        return {name: value for name in FILTERS if (value := self.request.GET.get(name, "").strip()[:253])}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what is chosen, and the next page."""
        context = super().get_context_data(**kwargs)
        context["chosen"] = self.chosen()
        if context["answer"]:
            context["following"] = self.following(context["answer"].next)
        return context
