"""What commands that try policies collect from the configuration, the policy files and the database."""
