"""What later runs go by: notices and what was heard, exemptions, refusals, open requests, and whose database it is."""
