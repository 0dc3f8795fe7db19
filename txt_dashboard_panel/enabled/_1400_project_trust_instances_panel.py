PANEL = "trust_instances"
PANEL_DASHBOARD = "project"
PANEL_GROUP = "compute"
ADD_PANEL = "txt_dashboard_panel.panels.instances.panel.InstanceTrust"

_TRUST = "txt_dashboard_panel.panels.instances.tabs"
EXTRA_TABS = {
    "openstack_dashboard.dashboards.project.instances.tabs.InstanceDetailTabs": [f"{_TRUST}.TrustTab"],
    "openstack_dashboard.dashboards.admin.instances.tabs.AdminInstanceDetailTabs": [f"{_TRUST}.AdminTrustTab"],
    "openstack_dashboard.dashboards.admin.hypervisors.tabs.HypervisorHostTabs": [
        "txt_dashboard_panel.panels.hypervisors.tabs.HypervisorsTrustTab"
    ],
}
