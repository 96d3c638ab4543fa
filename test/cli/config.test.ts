import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { readConfig } from '../../cli/config.js';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  file = join(folder, 'temporal.toml');
  await writeFile(
    file,
    '[profile.prod]\naddress = "prod.example:7233"\nnamespace = "releases"\napi_key = "key"\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

it('has defaults for everything', () => {
  expect(readConfig({}, { TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') })).toMatchObject({
    cluster: 'default',
    actor: `${userInfo().username}@${hostname()}`,
  });
});

it('reads the environment, and lets flags win', () => {
  const env = { SLUICE_CLUSTER: 'east', SLUICE_ACTOR: 'ci', TEMPORAL_ADDRESS: 'here:7233' };

  expect(readConfig({}, env)).toMatchObject({
    cluster: 'east',
    actor: 'ci',
    temporal: { connectionOptions: { address: 'here:7233' } },
  });
  expect(readConfig({ cluster: 'west', actor: 'alice' }, env)).toMatchObject({
    cluster: 'west',
    actor: 'alice',
  });
});

it("reads a profile of Temporal's configuration file", () => {
  const { temporal } = readConfig({ profile: 'prod' }, { TEMPORAL_CONFIG_FILE: file });

  expect(temporal).toMatchObject({
    namespace: 'releases',
    connectionOptions: { address: 'prod.example:7233', apiKey: 'key', tls: true },
  });
});

it('refuses a profile that does not exist', () => {
  expect(() => readConfig({ profile: 'dev' }, { TEMPORAL_CONFIG_FILE: file })).toThrow(
    "Temporal's configuration cannot be used: ",
  );
});
