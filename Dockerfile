# The janitor with its shipped policies. It takes everything for one target from the environment, see deploy/container/janitor.yaml.
# /etc/janitor holds configuration and policies; /data, the database, is the only directory that is written to.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/janitor \
    && /opt/janitor/bin/python -m pip install --require-hashes -r requirements/runtime.txt \
    && python -m pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md ./
COPY policies policies
COPY janitor janitor
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/janitor/bin/python -m pip install --no-deps /dist/image_janitor-*.whl

FROM python:3.13-slim-bookworm
COPY --from=build /opt/janitor /opt/janitor
COPY deploy/container/janitor.yaml /etc/janitor/janitor.yaml
COPY policies /etc/janitor/policies
# A new volume on /data takes over this directory's owner and mode.
RUN install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/janitor/bin:$PATH \
    JANITOR_CONFIG=/etc/janitor/janitor.yaml \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
# Temporary files go here too where /tmp cannot be written, as with a read-only root file system.
WORKDIR /data
RUN ["janitor", "--version"]
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["janitor"]
CMD ["serve"]
