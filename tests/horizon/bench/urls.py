"""Horizon's addresses, and a page of its frame with nothing in it."""

from typing import Any

import horizon
from django.urls import path
from horizon import views
from openstack_dashboard.test.urls import urlpatterns as all_of_horizon


class Empty(views.HorizonTemplateView):
    """The frame alone, as the panel of hosts has it."""

    template_name = "base.html"
    page_title = "Empty"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        dashboard = horizon.get_dashboard("admin")
        request.horizon.update(dashboard=dashboard, panel=dashboard.get_panel("trust_hosts"))
        return super().dispatch(request, *args, **kwargs)


urlpatterns = [path("empty/", Empty.as_view()), *all_of_horizon]
