"""Reports how runs went to monitoring systems: metrics, health, heartbeat. Never changes a run or its exit code."""
