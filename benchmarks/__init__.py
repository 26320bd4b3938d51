"""Figures of the janitor against a sandbox in a process of its own: `python -m benchmarks`, or `make bench`.

Whole processes are measured, side by side with a bare loop over the same list, and printed as ratios, which mostly do
not depend on the machine. Nothing is asserted here; the targets are printed beside the measured figures.
"""
