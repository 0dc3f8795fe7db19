"""A stand-in for the cloud that the simulated hosts are part of: Keystone, Nova and Placement, as far as is asked.

Nothing is booted and nobody is scheduled. What is told to it stays: extra specs, traits and their generations.
https://docs.openstack.org/api-ref/
"""
