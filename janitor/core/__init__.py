"""The core: pure values and rules, without I/O, without a clock, and without any library beyond the standard one."""
