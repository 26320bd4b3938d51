"""The commands, each with its options, its help and its body; and what their bodies share.

A body imports what is heavy when it runs, so that the command line itself starts fast.
"""
