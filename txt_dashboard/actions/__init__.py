"""The verbs: the only writers. Each checks the permission, then acts and logs in one transaction."""
