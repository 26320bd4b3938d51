"""Which worker has which shard: leases, the markers of their folders, and how they are spread."""
