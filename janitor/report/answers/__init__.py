"""What commands answer that read what is recorded, as text, JSON and CSV: what waits, what policies own, why."""
