"""Addresses of the activity log."""

from django.urls import re_path

from txt_dashboard_panel.panels.activity import views

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
]
