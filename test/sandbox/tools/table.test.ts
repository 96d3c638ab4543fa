import { readFileSync } from 'node:fs';

import { tools } from '../../../sandbox/tools/table.js';

it.each(['hey', 'k6', 'helm'] as const)(
  'the version of %s that tests run is that of the image of the load tester',
  (name) => {
    const { recipe, version } = tools[name];
    const image = readFileSync('deploy/docker/loadtester.Dockerfile', 'utf8');
    expect(image.split(/\s/)).toContain(`${recipe.package}@v${version}`);
  },
);
