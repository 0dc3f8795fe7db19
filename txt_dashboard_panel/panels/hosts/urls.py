"""Addresses of the hosts."""

from django.urls import re_path

from txt_dashboard_panel.panels.hosts import views

_HOST = r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._\-]{0,252})/"

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
]
