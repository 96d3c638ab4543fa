import { commandLine } from '../../../sandbox/node/command-line.js';
import { expand } from '../../../sandbox/node/expansion.js';

const image = { workdir: '/app', entrypoint: ['run'], cmd: ['--default'], env: {} };

describe('commandLine', () => {
  it.each([
    ['the image alone', {}, ['run', '--default']],
    ['args in place of cmd', { args: ['--own'] }, ['run', '--own']],
    ['command without cmd', { command: ['sh'] }, ['sh']],
    ['command and args', { command: ['sh'], args: ['-c', 'x'] }, ['sh', '-c', 'x']],
  ])('is made of %s', (_name, container, argv) => {
    expect(commandLine(image, container, {})).toEqual({ argv, workdir: '/app' });
  });

  it('expands variables and takes the directory of the container', () => {
    const container = { args: ['$(PORT)', '$(NONE)'], workingDir: '/own' };
    expect(commandLine(image, container, { PORT: '80' })).toEqual({
      argv: ['run', '80', '$(NONE)'],
      workdir: '/own',
    });
  });
});

describe('expand', () => {
  it.each([
    ['$(A)-$(B)', '1-$(B)'],
    ['$$(A)', '$(A)'],
    ['$A and $', '$A and $'],
    ['$$$(A)', '$1'],
  ])('turns %s into %s', (text, expected) => {
    expect(expand(text, { A: '1' })).toBe(expected);
  });
});
