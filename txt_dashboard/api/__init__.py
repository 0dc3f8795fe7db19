"""The REST API under /v1: thin, as the pages are. Parse, call one verb or one query, answer."""
