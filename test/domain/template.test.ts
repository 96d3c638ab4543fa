import fc from 'fast-check';

import { renderTemplate, type TemplateValues } from '../../domain/template.js';

const values: TemplateValues = {
  name: 'podinfo',
  namespace: 'test',
  target: 'podinfo-app',
  service: 'podinfo-svc',
  ingress: 'web',
  route: 'api',
  interval: '1m',
  variables: { direction: 'inbound', 'my-key': 'dashed', empty: '' },
};

function rendered(text: string): string {
  const result = renderTemplate(text, values);
  return result.ok ? result.text : `problem: ${result.problem}`;
}

describe('what templates insert', () => {
  it.each([
    [
      'every name',
      '{{ name }} {{namespace}} {{ target }} {{ service }} {{ ingress }} {{ route }} {{ interval }}',
      'podinfo test podinfo-app podinfo-svc web api 1m',
    ],
    ['a variable', '{{ variables.direction }}', 'inbound'],
    ['a variable by index', '{{ index variables "my-key" }}', 'dashed'],
    ['nothing for a key index does not find', '[{{ index variables "missing" }}]', '[]'],
    [
      'all variables as Go prints a map',
      '{{ variables }}',
      'map[direction:inbound empty: my-key:dashed]',
    ],
    [
      'nothing where there is no action',
      'sum(rate(a{b="{c}"}[1m])) }}',
      'sum(rate(a{b="{c}"}[1m])) }}',
    ],
    ['nothing for an empty template', '', ''],
    ['text without the space around trimmed actions', 'a  {{- name -}}  b', 'apodinfob'],
    ['text without the space around trimmed comments', 'a {{- /* why */ -}} b', 'ab'],
    ['nothing for a comment', 'a{{/* }} */}}b', 'ab'],
    ['strings with braces in them', '{{ "}}" }}{{ `{{` }}', '}}{{'],
    [
      'numbers as Go prints them',
      '{{ 1000000 }} {{ -1.50 }} {{ .5 }} {{ 2e-5 }}',
      '1e+06 -1.5 0.5 2e-05',
    ],
    [
      'a piped value as the last argument',
      '{{ name | printf "%s-%q" namespace }}',
      'test-"podinfo"',
    ],
    ['the value of parentheses', '{{ printf "%s" (index variables "direction") }}', 'inbound'],
    ['fields of parentheses', '{{ (variables).direction }}', 'inbound'],
    ['numbers as told', '{{ printf "%d %.2f %v%%" 7 1.005 2 }}', '7 1.00 2%'],
    ['the branch that holds', '{{ if eq namespace "prod" "test" }}yes{{ else }}no{{ end }}', 'yes'],
    [
      'the other branch',
      '{{ if variables.empty }}yes{{ else if not name }}maybe{{ else }}no{{ end }}',
      'no',
    ],
    ['nothing without another branch', '[{{ if ne name "podinfo" }}x{{ end }}]', '[]'],
    ['joined conditions', '{{ if and name (or variables.empty service) }}yes{{ end }}', 'yes'],
    [
      'a variable of its own',
      '{{ $app := printf "%s-%s" name namespace }}{{ $app }}!',
      'podinfo-test!',
    ],
    [
      'what a variable was set to in a block',
      '{{ $x := 1 }}{{ if name }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}',
      '2',
    ],
    ['its own variable in a block', '{{ $x := 1 }}{{ if $x := 2 }}{{ $x }}{{ end }}{{ $x }}', '21'],
    [
      'every variable in the order of its keys',
      '{{ range $key, $value := variables }}{{ $key }}="{{ $value }}",{{ end }}',
      'direction="inbound",empty="",my-key="dashed",',
    ],
    ['what a range goes through', '{{ range variables }}[{{ . }}]{{ end }}', '[inbound][][dashed]'],
    [
      'one variable of a range',
      '{{ range $v := variables }}[{{ $v }}]{{ end }}',
      '[inbound][][dashed]',
    ],
    [
      'the value of with',
      '{{ with variables.direction }}{{ . }}{{ end }}{{ with variables }}{{ .direction }}{{ end }}',
      'inboundinbound',
    ],
    [
      'the other branch of with',
      '{{ with variables.empty }}a{{ else with name }}{{ . }}{{ else }}b{{ end }}',
      'podinfo',
    ],
    [
      'comparisons',
      '{{ lt 1 2 }} {{ ge "b" "a" }} {{ le 2 2 }} {{ gt 1 2 }}',
      'true true true false',
    ],
    ['part of a URL', '{{ urlquery "a b" "&c" }}', 'a+b%26c'],
    ['printed values', '{{ print 1 2 "a" 3 true }}{{ println name 1 }}', '1 2a3 truepodinfo 1\n'],
    ['the bytes of a string', '{{ len "é" }} {{ len variables }}', '2 3'],
    [
      'nothing that a condition does not need',
      '{{ if and variables.empty variables.missing }}a{{ end }}{{ or name variables.missing }}',
      'podinfo',
    ],
    ['replaced letters', '{{ "a.b-c.d" | replace "." "$&" | replace "-" "" }}', 'a$&bc$&d'],
    ['an action over several lines', '{{ printf\n  "%s"\n  name }}', 'podinfo'],
  ])('%s', (_, text, expected) => {
    expect(rendered(text)).toBe(expected);
  });

  it('inserts values raw', () => {
    const result = renderTemplate('{{ variables.x }}', {
      ...values,
      variables: { x: '"<{{ y }}>' },
    });

    expect(result).toEqual({ ok: true, text: '"<{{ y }}>' });
  });
});

describe('what templates get wrong', () => {
  const allowed = 'name, namespace, target, service, ingress, route, interval, variables';

  it.each([
    [
      'an unknown function',
      '\n{{ foo }}',
      `line 2: "foo" is not defined (allowed: ${allowed}, index`,
    ],
    ...['define "x"', 'block "x" .', 'template "x"', 'break', 'continue'].map(
      (action): [string, string, string] => [
        action,
        `{{ ${action} }}x{{ end }}`,
        'is not supported (supported: if, range, with, else, end)',
      ],
    ),
    ['range over a value', '{{ range name }}x{{ end }}', 'range works on variables only'],
    ['an unclosed range', '{{ range variables }}x', '{{range}} without {{end}}'],
    [
      'three variables of a range',
      '{{ range $a, $b, $c := variables }}{{ end }}',
      'too many variables',
    ],
    ['two variables of a value', '{{ $a, $b := variables }}', 'too many variables'],
    ['half a declaration', '{{ $a, name }}', 'unexpected ,'],
    ['an unknown variable', '{{ $x }}', 'line 1: $x is not defined'],
    ['an unknown variable that is set', '{{ $x = 1 }}', '$x is not defined'],
    [
      'a variable behind the end of its block',
      '{{ if name }}{{ $x := 1 }}{{ end }}{{ $x }}',
      '$x is not defined',
    ],
    ['the root that is set', '{{ $ := 1 }}', '$ cannot be set'],
    ['an else with more', '{{ if name }}{{ else name }}{{ end }}', 'unexpected name in {{else}}'],
    [
      'an else of another kind',
      '{{ range variables }}{{ else range variables }}{{ end }}',
      'unexpected range in {{else}}',
    ],
    ['an end with more', '{{ if name }}{{ end if }}', 'unexpected if in {{end}}'],
    ['the data itself', '{{ . }}', '. has nothing to read from'],
    [
      'a field of what a range goes through',
      '{{ range variables }}{{ .x }}{{ end }}',
      'the value of . has no field x',
    ],
    ['a comparison of types', '{{ if eq name 1 }}{{ end }}', 'podinfo and 1 cannot be compared'],
    ['an order of truths', '{{ lt true false }}', 'truths have no order'],
    ['a fraction as an integer', '{{ printf "%d" 1.5 }}', 'printf: %d does not print 1.5'],
    [
      'a text that grows without end',
      `${'{{ range variables }}'.repeat(20)}x${'{{ end }}'.repeat(20)}`,
      'the text becomes too long',
    ],
    [
      'a value that grows without end',
      `{{ $x := name }}${'{{ $x = printf "%s%s" $x $x }}'.repeat(40)}`,
      'a value becomes too long',
    ],
    [
      'a missing variable',
      '{{ variables.missing }}',
      'line 1: variable "missing" is missing in templateVariables (it has: direction, empty, my-key)',
    ],
    ['a dashed variable', '{{ variables.my-key }}', 'line 1: unexpected "-" in an action'],
    [
      'fields of nothing',
      '{{ .Name }}',
      'line 1: .Name has nothing to read from; write variables.Name',
    ],
    ['a field of a string', '{{ name.first }}', 'line 1: name has no field first'],
    ['a field of a variable', '{{ variables.direction.x }}', 'has no field x'],
    ['an inherited property', '{{ variables.constructor }}', 'variable "constructor" is missing'],
    ['an inherited function', '{{ constructor }}', '"constructor" is not defined'],
    ['an unclosed action', 'a {{ name', 'line 1: unclosed action, }} is missing'],
    ['an empty action', '{{ }}', 'line 1: a value is missing'],
    ['an empty pipe', '{{ name | }}', 'a value is missing'],
    ['an unclosed parenthesis', '{{ (name }}', 'unclosed ('],
    ['a stray parenthesis', '{{ name ) }}', 'unexpected )'],
    ['an unclosed string', '{{ "a }}', 'unexpected "\\"" in an action'],
    ['an unclosed comment', '{{/* a', 'in an action'],
    [
      'text behind a comment',
      'a{{/* a */ name }}{{/* b */}}',
      'a comment must end right before }}',
    ],
    ['a later line', 'a\n{{ name\n}}\n{{/*\n*/}}\n{{ foo }}', 'line 6: "foo"'],
    ['an unclosed if', '{{ if name }}a', 'line 1: {{if}} without {{end}}'],
    [
      'an if closed by a second else',
      '{{ if name }}{{ else }}{{ else }}{{ end }}',
      'without {{end}}',
    ],
    ['a stray end', 'a{{ end }}', 'line 1: unexpected {{end}}'],
    ['arguments for a name', '{{ name "x" }}', 'name takes no arguments'],
    ['a pipe into a name', '{{ "x" | namespace }}', 'namespace takes no arguments'],
    ['too few arguments', '{{ eq name }}', 'eq needs more arguments'],
    ['a verb without value', '{{ printf "%s" }}', 'printf: nothing is given for %s'],
    ['a value without verb', '{{ printf "a" name }}', 'printf: more values than verbs'],
    ['an unknown verb', '{{ printf "%x" name }}', 'printf: %x does not print podinfo'],
    ['deep nesting', `{{ ${'('.repeat(10_000)}name }}`, 'nested too deeply'],
    ['deep branches', '{{ if name }}'.repeat(10_000), 'nested too deeply'],
  ])('%s', (_, text, problem) => {
    const result = renderTemplate(text, values);

    expect(result).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});

describe('any text at all', () => {
  const alphabet = [
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '|',
    '(',
    ')',
    '"',
    '`',
    '\\',
    '.',
    '-',
    '/*',
    '*/',
    '%s',
    '1',
    'if',
    'else',
    'end',
    'name',
    'index',
    'printf',
    'eq',
    'variables',
    '.direction',
    '.',
    ',',
    '=',
    ':=',
    '$x',
    'range',
    'with',
    'len',
    'urlquery',
    'é',
    '\u0000',
  ];
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.array(fc.constantFrom(...alphabet), { maxLength: 40 }).map((parts) => parts.join('')),
  );

  it('is rendered or refused, quickly', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const result = renderTemplate(text, values);
        return result.ok ? typeof result.text === 'string' : result.problem.startsWith('line ');
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    );
  });

  it('is rendered as long as every action is sound', () => {
    const value = fc.letrec<{ value: string; list: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(
          'name',
          'namespace',
          'variables.direction',
          '1',
          '"a b"',
          '`{{`',
          'true',
          '$v',
        ),
        tie('value').map((inner) => `(print ${inner})`),
        fc.tuple(tie('value'), tie('value')).map(([a, b]) => `(printf "%v-%v" ${a} ${b})`),
        fc.tuple(tie('value'), tie('value')).map(([a, b]) => `(and ${a} (not ${b}))`),
        tie('value').map((inner) => `(${inner} | urlquery | len)`),
      ),
      list: fc.constant(''),
    })).value;
    const open = fc.constantFrom('{{ ', '{{- ', '{{\n');
    const close = fc.constantFrom(' }}', ' -}}');
    const action = (inside: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.tuple(open, inside, close).map((parts) => parts.join(''));
    const template = fc.letrec<{ body: string }>((tie) => ({
      body: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom('text ', '}}', '{{/* why */}}', '\n'),
        action(value),
        action(
          fc.tuple(fc.constantFrom('if', 'with'), value).map((parts) => parts.join(' ')),
        ).chain((head) =>
          fc.tuple(tie('body'), tie('body')).map(([a, b]) => `${head}${a}{{ else }}${b}{{ end }}`),
        ),
        tie('body').map((body) => `{{ range $k, $v := variables }}${body}{{ end }}`),
        fc.tuple(tie('body'), tie('body')).map((parts) => parts.join('')),
      ),
    })).body;
    fc.assert(
      fc.property(template, (text) => {
        const result = renderTemplate(`{{ $v := "v" }}${text}`, values);
        return result.ok || result.problem.endsWith('too long');
      }),
      { numRuns: 10_000 },
    );
  });

  it('stays as it is without actions', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('{{'));
        expect(renderTemplate(text, values)).toEqual({ ok: true, text });
      }),
    );
  });

  it('takes time in proportion to its length', () => {
    const text = '{{ "a" | printf "%s" }} {{- name -}} '.repeat(20_000) + '{{ "';

    expect(renderTemplate(text, values).ok).toBe(false);
  }, 3_000);
});
