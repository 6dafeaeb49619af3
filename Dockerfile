# terndb serve, standalone: everything in one process, data in /data.
#   docker build -t terndb .
#   docker run -p 19530:19530 -v terndb:/data terndb
# What it needs, and what is in front of it: docs/deploy.md.

# The kernel's WebAssembly, with the tools that it needs.
FROM node:24-bookworm-slim AS kernel
WORKDIR /terndb
COPY package.json package-lock.json tsconfig.base.json ./
COPY packages packages
COPY server server
COPY web-demo/package.json web-demo/package.json
COPY playwright/package.json playwright/package.json
RUN npm ci --no-audit --no-fund && npm run build -w @terndb/kernel

# What the server needs while it runs, and nothing else.
FROM node:24-bookworm-slim AS modules
WORKDIR /terndb
COPY package.json package-lock.json ./
COPY packages packages
COPY server server
COPY web-demo/package.json web-demo/package.json
COPY playwright/package.json playwright/package.json
RUN npm ci --omit=dev --workspace=@terndb/server --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /terndb
ENV NODE_ENV=production
COPY LICENSE package.json ./
COPY --from=modules /terndb/node_modules node_modules
COPY packages packages
COPY server server
COPY --from=kernel /terndb/packages/kernel/dist packages/kernel/dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 19530
# Ready, not merely there: a server that drains is to get nothing new.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:19530/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=16", "--wasm-wrapper-tiering-budget=2147483647", "--conditions=@terndb/source", "server/src/main.ts"]
CMD ["serve", "--host", "0.0.0.0", "--port", "19530", "--data", "/data"]
