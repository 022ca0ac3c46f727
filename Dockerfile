# Worker, scheduler or board in a container: `docker build -t stormreel .`
FROM node:22-bookworm-slim AS build
WORKDIR /opt/stormreel
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json index.ts ./
COPY schemas schemas
COPY pipeline pipeline
COPY workers workers
COPY cli cli
COPY scripts scripts
RUN npm run build

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/stormreel
COPY package.json package-lock.json .npmrc LICENSE NOTICE ./
# .npmrc leaves install scripts out: none is needed, and the native tensor backend is not wanted for decoding.
RUN npm ci --omit=dev && npm cache clean --force
COPY bin bin
COPY --from=build /opt/stormreel/dist dist
# The user `node` of the image, by number, so that a cluster can tell that it is not root.
USER 1000:1000
ENTRYPOINT ["node", "/opt/stormreel/bin/stormreel.js"]
CMD ["--help"]
