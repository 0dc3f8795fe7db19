"""Addresses of the hosts."""

from django.urls import re_path

from txt_dashboard_panel.panels.hosts import actions, views

_HOST = r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._\-]{0,252})/"

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(rf"{_HOST}$", views.MeasurementsView.as_view(), name="detail"),
    re_path(rf"{_HOST}log/$", views.LogView.as_view(), name="log"),
    re_path(rf"{_HOST}history/$", views.HistoryView.as_view(), name="history"),
    re_path(rf"{_HOST}instances/$", views.InstancesView.as_view(), name="instances"),
    re_path(rf"{_HOST}evidence/$", views.EvidenceView.as_view(), name="evidence"),
    re_path(rf"{_HOST}evidence/download/$", views.download, name="download"),
    re_path(rf"{_HOST}attest/$", actions.AttestView.as_view(), name="attest"),
    re_path(rf"{_HOST}propose/$", actions.ProposeView.as_view(), name="propose"),
]
