"""Figures of the janitor against a sandbox in a process of its own: `python -m benchmarks`, or `make bench`.

Whole processes are measured, side by side with a bare loop over the same list, and printed as ratios: the machine
drops out of a ratio, mostly. Nothing is asserted here; the figures to reach stand beside the measured ones.
"""
