"""Policies tried on what was recorded: the same decisions as a run would make, on the nights of the past.

Nothing is decided here: `decide` is given what a night had before it, and other policies if those are to be tried.
"""
