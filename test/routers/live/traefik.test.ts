import { measuresOf } from './metrics.js';
import { releasesBy } from './releases.js';
import { splitsBy } from './splits.js';

splitsBy('traefik');
measuresOf('traefik');
releasesBy('traefik');
