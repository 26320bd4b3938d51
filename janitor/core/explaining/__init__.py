"""Why an image stays or goes, for people who ask: told by the rules that decide, and never by others. Pure."""
