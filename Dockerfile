# The agent alone: non-root, for a read-only root, without compilers and without a need for a shell.
#
#   docker build --tag mailflow-agent .
#
# A release gives the base by its digest, so that the same source makes the same image:
#   --build-arg BASE=docker.io/library/python:3.13-slim@sha256:DIGEST
# where DIGEST is what `docker buildx imagetools inspect python:3.13-slim` says on the day.
ARG BASE=docker.io/library/python:3.13-slim

# hadolint ignore=DL3006 -- the tag is in BASE
FROM ${BASE} AS build
WORKDIR /build
# Every file is checked against its hash, those of the tools too. The index is the one that pip is
# configured with.
COPY deploy/image-build.txt ./
RUN python3 -m venv tools \
    && tools/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --no-compile --require-hashes --requirement image-build.txt \
    && python3 -m venv --without-pip /opt/mailflow-agent
COPY pyproject.toml uv.lock ./
RUN tools/bin/uv export --quiet --offline --frozen --no-dev --extra microsoft --no-emit-project \
        --no-header --output-file requirements.txt > /dev/null \
    && tools/bin/python -m pip wheel --quiet --disable-pip-version-check --no-cache-dir --no-deps \
        --no-build-isolation --require-hashes --requirement requirements.txt --wheel-dir wheels
COPY LICENSE README.md ./
COPY agent agent
COPY deploy/image-trim deploy/image-trim
RUN tools/bin/hatchling build --target wheel --directory wheels \
    && tools/bin/uv pip install --python /opt/mailflow-agent --quiet --offline --no-index --no-deps \
        --no-cache --link-mode copy wheels/*.whl \
    && tools/bin/python deploy/image-trim /opt/mailflow-agent

# hadolint ignore=DL3006 -- the tag is in BASE
FROM ${BASE}
COPY --from=build /opt/mailflow-agent /opt/mailflow-agent
# The base comes without its byte code and a read-only root keeps none, so what a start needs of it
# is compiled here, by importing it.
RUN mkdir -p /etc/mailflow-agent /var/lib/mailflow-agent \
    && ln -s /var/lib/mailflow-agent /etc/mailflow-agent/state \
    && chown 65532:65532 /var/lib/mailflow-agent \
    && chmod 0700 /var/lib/mailflow-agent \
    && /opt/mailflow-agent/bin/python -I -c "import agent.app, agent.cli.run, agent.cli.healthcheck, agent.lab.lab, msal, sqlite3"
ENV PATH=/opt/mailflow-agent/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    MAILFLOW_AGENT_CONFIG=/etc/mailflow-agent/config.yaml \
    MAILFLOW_AGENT_LISTEN=0.0.0.0:16245 \
    MAILFLOW_AGENT_STATE=/var/lib/mailflow-agent
USER 65532:65532
WORKDIR /var/lib/mailflow-agent
VOLUME ["/var/lib/mailflow-agent"]
EXPOSE 16245 16225
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["mailflow-agent", "healthcheck"]
ENTRYPOINT ["mailflow-agent"]
CMD ["run"]

# Last, so that another revision changes no layer before it.
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=""
ARG BASE
LABEL org.opencontainers.image.title="mailflow-agent" \
      org.opencontainers.image.description="Finds broken mail flow before users do: SPF, MX, connectors and routes of Exchange Online, watched all the time." \
      org.opencontainers.image.vendor="The mailflow-agent authors" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.url="${SOURCE}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE}"
