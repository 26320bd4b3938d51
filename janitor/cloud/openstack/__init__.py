"""The Image API v2 of OpenStack, signing in to Keystone, and the services that show what uses images."""
