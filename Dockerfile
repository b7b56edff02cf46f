# The pipeline with all it needs. For NVIDIA cards, 8 GB:  docker build -t creatures .
# For CPUs alone, 3 GB:                                   docker build --build-arg INDEX=ADDRESS -t creatures .
# where ADDRESS is that of PyTorch's packages for CPUs (docs/containers.md).
FROM debian:bookworm-slim AS system
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git make python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --shell /bin/bash creatures
USER creatures
WORKDIR /home/creatures/pipeline

FROM system
ARG INDEX=""
ARG EXTRAS=""
ENV PATH=/home/creatures/pipeline/.venv/bin:$PATH PIP_NO_CACHE_DIR=1
# packages alone first: they change less often than the code
COPY --chown=creatures Makefile pyproject.toml constraints.txt README.md LICENSE NOTICE ./
RUN make setup INDEX="$INDEX" EXTRAS="$EXTRAS"
COPY --chown=creatures . .
RUN python -m pip install --quiet --no-deps -e . && touch .venv/installed
EXPOSE 7860
CMD ["bash"]
