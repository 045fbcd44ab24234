# docker build -t vaead .                                                the app, without torch
# docker build -t vaead-training --build-arg EXTRA="--extra train" .     trains too
# The base's digest, those of uv and of all packages stand here and in the files copied first: a build takes these or fails.
ARG PYTHON=3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7
FROM python:${PYTHON}
ARG EXTRA=""

WORKDIR /app
COPY pyproject.toml requirements.txt ./
COPY deploy/uv.txt deploy/
RUN pip install --no-cache-dir --require-hashes --requirement deploy/uv.txt && \
    uv pip install --system --no-cache --require-hashes --constraints requirements.txt --requirements pyproject.toml ${EXTRA}
COPY . .

# All threads of one inference; nothing is written beside the sources, and nothing is asked of the network.
ENV OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 NUMBA_NUM_THREADS=2 \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba \
    STREAMLIT_BROWSER_GATHER_USAGE_STATS=false STREAMLIT_SERVER_HEADLESS=true
USER 10001:10001
EXPOSE 8501
HEALTHCHECK --interval=5m --timeout=60s --start-period=90s CMD ["python", "deploy/health.py"]
ENTRYPOINT ["python", "-m", "streamlit", "run", "app.py"]
CMD ["--server.address=0.0.0.0", "--server.port=8501"]
