"""Quotes: asked for with nonces of ours, verified by approved keys, and kept with the logs that explain them."""
