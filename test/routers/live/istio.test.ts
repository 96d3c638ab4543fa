import { http } from '../../../activities/observers/http.js';
import { affinityBy } from './affinity.js';
import { matchesBy } from './matches.js';
import { mirrorsBy } from './mirrors.js';
import { releasesBy } from './releases.js';
import { splitsBy } from './splits.js';

splitsBy('istio');
matchesBy('istio');
mirrorsBy('istio');
affinityBy('istio');

// Istio's own metrics are counted by filters that this Envoy lacks, so the application's judge.
const template = (name: string, query: string) => ({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'MetricTemplate',
  metadata: { name },
  spec: { provider: { type: 'prometheus', address: 'http://prometheus.monitoring:9090' }, query },
});
const judged = (name: string, thresholdRange: object) => ({
  ...{ name, interval: '10s', thresholdRange },
  templateRef: { name },
});
releasesBy('istio', {
  metrics: [judged('good-answers', { min: 99 }), judged('duration', { max: 2_000 })],
  objects: [template('good-answers', http.successRate), template('duration', http.duration)],
  threshold: '>= 99',
});
