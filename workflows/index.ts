export { deliveries } from './deliveries.js';
export { release } from './release.js';
