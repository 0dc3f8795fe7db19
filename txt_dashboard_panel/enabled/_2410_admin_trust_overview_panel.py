PANEL = "trust_overview"
PANEL_DASHBOARD = "admin"
PANEL_GROUP = "trusted_compute"
ADD_PANEL = "txt_dashboard_panel.panels.overview.panel.Overview"
