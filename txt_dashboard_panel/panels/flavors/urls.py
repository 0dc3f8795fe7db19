"""Addresses of flavors."""

from django.urls import re_path

from txt_dashboard_panel.panels.flavors import views

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(r"^(?P<id>[A-Za-z0-9._ \-]{1,255})/trust/$", views.TrustView.as_view(), name="trust"),
]
