# The server without its contract suite, for an unprivileged user and a read-only root file system.
# docs/containers.md says how to use it; tools/image/check.py executes these steps without Docker.
FROM python:3.14-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/serve.txt requirements/
RUN pip download --require-hashes --dest /wheels --requirement requirements/serve.txt
COPY . .
# The wheels above are those of the lock, and there is no index.
# hadolint ignore=DL3013
RUN pip install --no-index --find-links /wheels hatchling PyYAML \
    && pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-index --find-links /wheels --ignore-installed --prefix /install hailuo-mock \
    && rm -r /install/lib/python*/site-packages/contract_tests

FROM python:3.14-slim
COPY --from=build /install /usr/local
# A file hailuo-mock.toml in this folder is read.
WORKDIR /data
ENV HAILUO_MOCK_HOST=0.0.0.0
EXPOSE 4010
USER 65532:65532
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --start-interval=0.25s \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection; server = HTTPConnection('127.0.0.1', int(os.environ.get('HAILUO_MOCK_PORT') or 4010), timeout=2); server.request('GET', '/_mock/ready'); sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["hailuo-mock"]
CMD ["serve"]
