"""A process that carries out the jobs of a fleet, by what it is given to clean accounts and to answer with."""
