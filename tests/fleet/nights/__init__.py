"""Nights of a whole fleet on simulated time: real processes that are killed and stopped, and what must hold.

    python -m tests.fleet.nights --accounts 200 --images 100 --nights 10 --kills 60 --workers 4 --seed 1

PostgreSQL, the workers, their databases and the sandbox are real, each in a process of its own. Workers are killed, or
stopped for longer than the others wait for a sign of them; PostgreSQL is restarted, and vanishes for one of them.

What holds is read from what others than the workers noted: the sandbox and its Slack, and triggers in PostgreSQL that
note who took which account when, and who ended what.
"""
