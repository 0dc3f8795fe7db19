"""Addresses of the pages, and where the API is."""

from django.urls import include, path

from txt_dashboard.web import activity, fleet, host, live, servers, session

urlpatterns = [
    path("v1/", include("txt_dashboard.api.urls")),
    path("login/", session.LogIn.as_view(), name="login"),
    path("logout/", session.LogOut.as_view(), name="logout"),
    path("", fleet.page, name="fleet"),
    path("fleet/map/", fleet.pool_map, name="fleet-map"),
    path("live/", live.pulse, name="live"),
    path("poll/", fleet.poll_now, name="poll-now"),
    path("hosts/<str:name>/", host.page, name="host"),
    path("hosts/<str:name>/history/", host.history, name="host-history"),
    path("hosts/<str:name>/evidence/", host.evidence, name="host-evidence"),
    path("activity/", activity.page, name="activity"),
    path("activity/export/", activity.export, name="activity-export"),
    path("servers/", servers.page, name="servers"),
    path("servers/add/", servers.add, name="server-add"),
    path("servers/<int:server_id>/", servers.edit, name="server-edit"),
    path("servers/<int:server_id>/test/", servers.test, name="server-test"),
]
