import { prometheus, readPrometheus } from '../../activities/metrics/prometheus.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { vectorOf } from './prometheus-server.js';

const secrets = ['planted-token-1'];

obeysTheLaws({
  connect: (address, timeoutMs) =>
    prometheus({
      address,
      credentials: { token: 'planted-token-1' },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
  secrets,
  query: 'sum(rate(http_requests_total[1m]))',
  value: { reply: { body: vectorOf('12.5') }, expected: { kind: 'value', value: 12.5 } },
  noData: {
    'an empty vector': { body: vectorOf() },
    'NaN, as a division by zero gives': { body: vectorOf('NaN') },
  },
  several: { reply: { body: vectorOf('1', '2') }, expected: { kind: 'value', value: 2 } },
  malformed: {
    'a number that is none': { body: vectorOf('1x') },
    'an error in an answer of status 200': { body: '{"status":"error","error":"timed out"}' },
    'a range': { body: '{"data":{"result":[{"values":[[1,"1"]]}]}}' },
    'an empty object': { body: '{}' },
    'a list': { body: '[]' },
  },
  pong: { body: vectorOf('1') },
});

readsSafely({
  read: readPrometheus,
  bodyWith: (value) =>
    JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [1545905245.458, value] }] },
    }),
  numbers: 'text',
});
