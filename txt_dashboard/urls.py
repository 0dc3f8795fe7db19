"""Addresses of the pages."""

from django.urls import path

from txt_dashboard.cloud.heartbeat import WELL_KNOWN
from txt_dashboard.pollhosts.heartbeat import heartbeat
from txt_dashboard.pollhosts.views import poll_hosts
from txt_dashboard.web import activity, fleet, host, live, servers, session

urlpatterns = [
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
    # As OpenAttestation 1.6 and 2 have them; Nova's TrustedFilter asks at either.
    path("OpenAttestationWebServices/V1.0/PollHosts", poll_hosts),
    path("AttestationService/resources/PollHosts", poll_hosts, name="poll-hosts"),
    path(WELL_KNOWN.lstrip("/"), heartbeat, name="heartbeat"),
    path(f"{WELL_KNOWN.lstrip('/')}/<str:cloud>", heartbeat, name="heartbeat-of"),
]
