"""Reads tests of policies, `*.test.yaml`: YAML in, values out, or every problem of all files at once."""
