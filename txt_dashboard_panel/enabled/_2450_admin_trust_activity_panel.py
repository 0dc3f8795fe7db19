PANEL = "trust_activity"
PANEL_DASHBOARD = "admin"
PANEL_GROUP = "trusted_compute"
ADD_PANEL = "txt_dashboard_panel.panels.activity.panel.Activity"
