# The load tester's image: docker build -f deploy/docker/loadtester.Dockerfile -t sluice/loadtester:dev .
FROM golang:1.26-bookworm AS tools
ENV GOBIN=/tools GOFLAGS=-trimpath CGO_ENABLED=0
RUN go install github.com/rakyll/hey@v0.1.5 \
  && go install github.com/bojand/ghz/cmd/ghz@v0.93.0 \
  && go install helm.sh/helm/v3/cmd/helm@v3.22.0 \
  && go install go.k6.io/k6@v1.8.1

FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm install --no-save --ignore-scripts
COPY . .
# One file: of the packages, the load tester needs few. It reads its version beside the folder it is in.
RUN node node_modules/esbuild/install.js \
  && npx esbuild loadtester/main.ts --bundle --platform=node --format=esm --target=node20 \
    --outfile=/out/loadtester/main.mjs \
    --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" \
  && cp package.json /out/

FROM node:20-bookworm-slim
# An init, since shells leave children behind that somebody has to reap; and what webhooks call.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini bats ca-certificates curl git jq wget wrk \
  && rm -rf /var/lib/apt/lists/*
COPY --from=registry.k8s.io/kubectl:v1.34.4 /bin/kubectl /usr/local/bin/
COPY --from=tools /tools /usr/local/bin/
WORKDIR /app
COPY --from=build /out ./
USER 1000
ENTRYPOINT ["tini", "--", "node", "/app/loadtester/main.mjs"]
