"""Tells whoever watches how runs went: metrics, health, heartbeat. Never changes a run or its exit code."""
