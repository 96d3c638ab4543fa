import { matchesBy } from './matches.js';
import { measuresOf } from './metrics.js';
import { releasesBy } from './releases.js';
import { splitsBy } from './splits.js';

// Releases by the other two are in test/e2e.
describe('contour', () => {
  splitsBy('contour');
  measuresOf('contour');
});

describe('gatewayapi:v1', () => {
  splitsBy('gatewayapi:v1');
  measuresOf('gatewayapi:v1');
});

describe('gatewayapi:v1beta1', () => {
  splitsBy('gatewayapi:v1beta1');
  matchesBy('gatewayapi:v1beta1');
  measuresOf('gatewayapi:v1beta1');
  releasesBy('gatewayapi:v1beta1');
});
