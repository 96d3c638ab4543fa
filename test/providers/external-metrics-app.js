/**
 * An adapter of external metrics, as the API server aggregates one: it answers by the name of the
 * metric. TLS_KEY and TLS_CERT hold its key and certificate in PEM.
 */
import { createServer } from 'node:https';
import process from 'node:process';

const groupVersion = 'external.metrics.k8s.io/v1beta1';
const quantities = { errors: ['1500m'], several: ['1', '2'], none: [] };

createServer({ key: process.env.TLS_KEY, cert: process.env.TLS_CERT }, (request, response) => {
  const url = new URL(request.url ?? '/', 'https://adapter');
  const metric = url.pathname.match(/^\/apis\/[^/]+\/v1beta1\/namespaces\/[^/]+\/(.+)$/)?.[1];
  const reply = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  if (url.pathname === `/apis/${groupVersion}`) {
    reply(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [] });
  } else if (metric === 'selected') {
    const isSelected = url.searchParams.get('labelSelector') === 'app=podinfo';
    reply(200, listOf(metric, isSelected ? ['7'] : []));
  } else if (metric === 'broken') {
    reply(200, '{"kind":"ExternalMetricValueList","items":[{"va');
  } else if (metric === 'outage') {
    reply(500, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'no back end' });
  } else if (metric !== 'hang') {
    const values = quantities[metric ?? ''];
    if (values === undefined) reply(404, { kind: 'Status', message: 'no such metric', code: 404 });
    else reply(200, listOf(metric, values));
  }
}).listen(6443);

function listOf(metricName, values) {
  const timestamp = new Date().toISOString();
  const items = values.map((value) => ({ metricName, metricLabels: {}, timestamp, value }));
  return { kind: 'ExternalMetricValueList', apiVersion: groupVersion, metadata: {}, items };
}
