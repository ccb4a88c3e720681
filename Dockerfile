# One image for every part: `assay web`, `assay relay`, `assay sweeper`, `assay worker QUEUE`.

FROM node:24-bookworm-slim AS browser
WORKDIR /assay
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-dejavu-core libmagic1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/assay assay
WORKDIR /assay
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY . .
COPY --from=browser /assay/node_modules node_modules
RUN python -m tools.build_assets \
    && rm -rf node_modules \
    && pip install --no-cache-dir --no-deps --no-build-isolation --editable .
USER assay
ENV ASSAY_ENV=production \
    ASSAY_HOME=/var/lib/assay \
    HOST=0.0.0.0 \
    PORT=8000 \
    PYTHONUNBUFFERED=1
EXPOSE 8000
ENTRYPOINT ["assay"]
CMD ["web"]
