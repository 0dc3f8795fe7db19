"""Addresses of the overview, and of what all pages poll."""

from django.urls import re_path

from txt_dashboard_panel.panels.overview import views

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(r"^live/$", views.live, name="live"),
]
