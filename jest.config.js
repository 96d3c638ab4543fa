/** One project per kind of test; `npm test` runs them one after the other (see scripts/test.ts). */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022' }, module: { type: 'es6' } }],
  },
};
const project = (displayName, folders) => ({
  ...shared,
  displayName,
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
});
/** Live gateways, by the names of their files. */
const planes = (displayName, names) => ({
  ...project(displayName, []),
  testMatch: [`<rootDir>/test/routers/live/${names}.test.ts`],
});

export default {
  projects: [
    project('domain', ['domain', 'activities', 'cli', 'worker', 'sandbox', 'dashboards']),
    project('providers', ['providers']),
    project('workflows', ['workflows', 'replay']),
    project('cluster', ['cluster']),
    project('conformance', ['conformance']),
    project('crash', ['crash']),
    { ...project('loadtester', []), testMatch: ['<rootDir>/test/loadtester/*.test.ts'] },
    project('loadtools', ['loadtester/tools']),
    { ...project('routers', []), testMatch: ['<rootDir>/test/routers/*.test.ts'] },
    project('meshes', ['routers/mesh']),
    planes('planes', '{envoy,kubernetes}'),
    planes('gateways', '{traefik,skipper,istio}'),
    project('e2e', ['e2e']),
  ],
};
