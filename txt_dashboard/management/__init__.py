"""Commands: thin, over the same verbs as the pages."""
