"""Addresses of the pages, and where the API is."""

from django.urls import include, path

from txt_dashboard.cloud.heartbeat import WELL_KNOWN
from txt_dashboard.pollhosts.heartbeat import heartbeat
from txt_dashboard.pollhosts.views import poll_hosts
from txt_dashboard.web import activity, fleet, golden, hooks, host, live, proposals, quoted, servers, session
from txt_dashboard.web.proposing import edit, first, hosts, policy, start, uploads

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
    path("hosts/<str:name>/log/", quoted.event_log, name="host-log"),
    path("hosts/<str:name>/quote/<int:server_id>/<str:which>", quoted.file, name="host-quote-file"),
    path("baselines/", golden.page, name="baselines"),
    path("baselines/retire/", golden.retire, name="baseline-retire"),
    path("propose/", start.page, name="propose"),
    path("propose/first-day/", first.page, name="propose-first-day"),
    path("propose/upload/", uploads.upload, name="propose-upload"),
    path("propose/by-hand/", uploads.by_hand, name="propose-by-hand"),
    path("propose/policy/", policy.page, name="propose-policy"),
    path("propose/host/<str:name>/", hosts.host, name="propose-host"),
    path("propose/group/<str:key>/", hosts.group, name="propose-group"),
    path("proposals/<int:proposal_id>/", proposals.page, name="proposal"),
    path("proposals/<int:proposal_id>/edit/", edit.page, name="proposal-edit"),
    path("proposals/<int:proposal_id>/approve/", proposals.approve, name="proposal-approve"),
    path("proposals/<int:proposal_id>/reject/", proposals.reject, name="proposal-reject"),
    path("proposals/<int:proposal_id>/withdraw/", proposals.withdraw, name="proposal-withdraw"),
    path("proposals/<int:proposal_id>/hosts/<str:change>/", proposals.hosts, name="proposal-hosts"),
    path("activity/", activity.page, name="activity"),
    path("activity/export/", activity.export, name="activity-export"),
    path("servers/", servers.page, name="servers"),
    path("servers/add/", servers.add, name="server-add"),
    path("servers/<int:server_id>/", servers.edit, name="server-edit"),
    path("servers/<int:server_id>/counting/", servers.counting, name="server-counting"),
    path("servers/<int:server_id>/test/", servers.test, name="server-test"),
    # As OpenAttestation 1.6 and 2 have them; Nova's TrustedFilter asks at either.
    path("OpenAttestationWebServices/V1.0/PollHosts", poll_hosts),
    path("AttestationService/resources/PollHosts", poll_hosts, name="poll-hosts"),
    path("hooks/keylime/<str:secret>", hooks.keylime, name="keylime-hook"),
    path(WELL_KNOWN.lstrip("/"), heartbeat, name="heartbeat"),
    path(f"{WELL_KNOWN.lstrip('/')}/<str:cloud>", heartbeat, name="heartbeat-of"),
]
