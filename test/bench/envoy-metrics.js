// Counters as Envoy has them for the canaries `app-1` to `app-COUNT`, which never answer with an error.
import { createServer } from 'node:http';

const count = Number(process.env['COUNT']);
const namespace = process.env['TARGET_NAMESPACE'];
const began = Date.now();

createServer((_request, response) => {
  const requests = Math.floor((Date.now() - began) / 10);
  const lines = Array.from({ length: count }, (_, index) => {
    const cluster = `${namespace}_app-${index + 1}-canary_80`;
    return `envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="${cluster}"} ${requests}`;
  });
  response.setHeader('Content-Type', 'text/plain; version=0.0.4');
  response.end(`# TYPE envoy_cluster_upstream_rq counter\n${lines.join('\n')}\n`);
}).listen(8080);
