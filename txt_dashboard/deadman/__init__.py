"""The dead-man command: takes the traits from all hosts when nobody vouches for them any more.

Runs on another machine than the product, with an account that has no more than Placement's `service` role. Needs
keystoneauth1, PyYAML and cryptography (`pip install txt-dashboard[deadman]`), and neither Django nor a database.
"""
