"""Faults for tests to set: those of one rule."""

from typing import Any

from janitor.sandbox.faults import Fault, Faults, Rule


def one(fault: Fault, *at: int, seed: int = 0, **parameters: Any) -> Faults:
    return Faults(seed, (Rule(fault, at=frozenset(at), **parameters),))
