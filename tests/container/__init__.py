"""The container, built from the Dockerfile and run without an engine, by Debian's buildah."""
