"""The core: pure values and rules, without I/O and without a clock.

It needs two libraries, which do neither: msgspec for the values that there are for every image, and cronsim for
schedules.
"""
