"""Listening to clicks: one web socket to Slack, over which it says who clicked which button of an announcement."""
