"""Approved values at servers that judge each agent by a policy of its own."""
