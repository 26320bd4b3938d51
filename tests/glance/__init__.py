"""A real Glance with a real Keystone, on loopback and for the length of a `with`, to test the janitor on.

They come from the package registry into `.venv-glance`, which `make test-glance` sets up. Nova and Cinder are
stand-ins.
"""
