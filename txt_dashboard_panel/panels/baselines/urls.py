"""Addresses of golden values and proposals."""

from django.urls import re_path

from txt_dashboard_panel.panels.baselines import views

_PROPOSAL = r"^(?P<id>[1-9][0-9]{0,8})/"
_BASELINE = r"^(?P<id>baseline:[0-9a-f]{16})/"

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    re_path(rf"{_PROPOSAL}$", views.ReviewView.as_view(), name="review"),
    re_path(rf"{_BASELINE}$", views.ReviewView.as_view(), name="held"),
    re_path(rf"{_PROPOSAL}approve/$", views.ApproveView.as_view(), name="approve"),
    re_path(rf"{_PROPOSAL}reject/$", views.RejectView.as_view(), name="reject"),
    re_path(rf"{_PROPOSAL}withdraw/$", views.WithdrawView.as_view(), name="withdraw"),
    re_path(rf"{_BASELINE}retire/$", views.RetireView.as_view(), name="retire"),
]
