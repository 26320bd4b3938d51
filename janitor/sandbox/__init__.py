"""The sandbox: an embedded server of the vendor's Compute API v1.0 with a realistic fleet, for demos and tests.

`options` says what can be chosen, `server` runs it. Nothing here is imported by a run against a real cloud.
"""
