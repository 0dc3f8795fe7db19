PANEL = "trust_baselines"
PANEL_DASHBOARD = "admin"
PANEL_GROUP = "trusted_compute"
ADD_PANEL = "txt_dashboard_panel.panels.baselines.panel.Baselines"
