"""Tests that people write for their policies: images made up for one instant, and what is to be decided on each."""
