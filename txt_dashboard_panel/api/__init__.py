"""The service's REST API: the only place of the panels that speaks HTTP. One module for each part of the API."""
