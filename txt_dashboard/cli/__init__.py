"""`txt-dashboard`: the API for shells and pipelines. Needs requests, and nothing else of ours."""
