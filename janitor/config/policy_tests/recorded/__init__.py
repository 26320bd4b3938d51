"""Makes tests of recorded runs: the images that matter, without ids and owners, and what the run decided on them."""
