"""Addresses of the attestation servers."""

from django.urls import re_path

from txt_dashboard_panel.panels.servers import actions, views

_SERVER = r"^(?P<name>[a-z0-9][a-z0-9-]{0,62})/"

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(rf"{_SERVER}test/$", actions.TestView.as_view(), name="test"),
    re_path(rf"{_SERVER}poll/$", actions.PollView.as_view(), name="poll"),
]
