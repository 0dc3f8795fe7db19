"""For Nova's environment: a scheduler filter that asks PollHosts, and a validator of the extra specs for it.

Brings nothing but the standard library; `filter` and `validators` import Nova, the rest does not.

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = txt_dashboard_nova.filter.TrustedHostFilter
    enabled_filters = ComputeFilter,…,TrustedHostFilter

    [trusted_compute]
    poll_url = https://trust.example.org/AttestationService/resources/PollHosts
    ca_file = /etc/nova/trust-ca.pem
    auth_blob = …
"""
