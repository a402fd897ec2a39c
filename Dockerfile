# The app, and with other commands the scheduler and the workers of compose.yaml: CPU only, not root, root file system
# read-only. Packages are installed as the lock files name them, each held against its hash: Python 3.11, Linux, x86-64.
# To hold the base image as well: docker build --build-arg BASE=python:3.11-slim@sha256:...
ARG BASE=python:3.11-slim
FROM ${BASE} AS packages

WORKDIR /build
COPY build.lock torch.lock requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r build.lock
RUN python -m venv /venv \
    && uv pip install --python /venv --no-cache --torch-backend=cpu --no-deps --require-hashes -r torch.lock \
    && uv pip install --python /venv --no-cache --compile-bytecode --no-deps --require-hashes -r requirements.lock

FROM ${BASE}

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin aecore \
    && mkdir /data /tls && chown 10001 /data /tls
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# The command `aecore` and the version: the project is installed where it lies, with the setuptools of the lock file.
RUN pip --python /venv/bin/python install --no-cache-dir --no-index --no-deps --no-build-isolation --editable . \
    && /venv/bin/python -m compileall -q aecore pages

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    AECORE_CACHE=/data/cache \
    AECORE_DATASETS=/data/datasets \
    NUMBA_CACHE_DIR=/tmp/numba \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_CLIENT_SHOW_ERROR_DETAILS=none

USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import json, urllib.request as r; assert json.load(r.urlopen('http://127.0.0.1:8501/api/health', timeout=4))['status'] == 'ok'"]
CMD ["streamlit", "run", "serve.py"]
