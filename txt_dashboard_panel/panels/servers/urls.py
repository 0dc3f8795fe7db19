"""Addresses of the attestation servers."""

from django.urls import re_path

from txt_dashboard_panel.panels.servers import views

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
]
