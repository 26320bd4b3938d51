"""Everything that knows Slack: how a report is written there, how requests are made, which answers accept it."""
