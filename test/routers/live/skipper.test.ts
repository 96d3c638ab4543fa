import { measuresOf } from './metrics.js';
import { releasesBy } from './releases.js';
import { splitsBy } from './splits.js';

splitsBy('skipper');
measuresOf('skipper');
releasesBy('skipper');
