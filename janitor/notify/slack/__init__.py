"""What knows Slack: how requests to it are made, and which of its answers say that a message was accepted."""
