"""The container as it is built from the Dockerfile, and as it runs: without an engine, by Debian's buildah."""
