"""Answers to an announcement by a click: who may give which, and what each means."""
