# docker build -t vaead .                                                the app, without torch
# docker build -t vaead-training --build-arg EXTRA="--extra train" .     trains too
# Pin the base by digest where builds must repeat to the byte: --build-arg PYTHON=3.11-slim@sha256:...
ARG PYTHON=3.11-slim
FROM python:${PYTHON}
ARG EXTRA=""

WORKDIR /app
COPY pyproject.toml requirements.txt ./
RUN pip install --no-cache-dir uv==0.13.9 && \
    uv pip install --system --no-cache --constraints requirements.txt --requirements pyproject.toml ${EXTRA}
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
