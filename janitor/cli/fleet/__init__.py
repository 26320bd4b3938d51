"""What the commands of a fleet do: the work of a process that cleans accounts, and of one that begins the nights."""
