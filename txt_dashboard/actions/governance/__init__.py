"""Who may make a host trusted: proposals, decisions, and the set that workers sign."""
