"""Addresses of a project's instances."""

from django.urls import re_path

from txt_dashboard_panel.panels.instances import views

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(r"^live/$", views.live, name="live"),
]
