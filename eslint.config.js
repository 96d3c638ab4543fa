import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Folders import inwards only: workflows and activities → domain; worker, cli, sandbox outside. */
const inward = (...patterns) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { patterns }],
});
const noEnvironment = {
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'Only config.ts files and tests read the environment.',
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'test/replay/histories', 'eslint.config.js', 'jest.config.js'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  prettier,
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports' },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // It forbids plain object literals for every type of the Kubernetes client.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // A switch over a union is one decision, however many cases it lists.
      complexity: ['error', { max: 12, variant: 'modified' }],
      'max-depth': ['error', 3],
      'max-lines': ['error', { max: 400, skipComments: true, skipBlankLines: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      ...inward({
        regex: '^(?!\\./|\\.\\./domain/)',
        message: 'domain is pure: it imports nothing but itself.',
      }),
      'no-restricted-globals': [
        'error',
        'process',
        'setTimeout',
        'setInterval',
        'fetch',
        'console',
        'crypto',
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Pass `now`.',
        },
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'Pass `now`.',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Pass it in.',
        },
      ],
    },
  },
  {
    files: ['domain/*/**/*.ts'],
    rules: inward({
      regex: '^(?!\\./|\\.\\./[^.])',
      message: 'domain is pure: it imports nothing but itself.',
    }),
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      ...inward(
        {
          group: ['**/activities/**'],
          message: 'import type only.',
          allowTypeImports: true,
        },
        {
          regex: '^(?!@temporalio/(workflow|common)$|\\./|\\.\\./(domain|activities)/)',
          message: 'workflows import @temporalio/workflow, domain and activity types only.',
        },
      ),
      'no-restricted-globals': ['error', 'process', 'console', 'fetch'],
      // A flag set by a message handler looks constant to the type checker.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  {
    files: ['activities/**/*.ts'],
    rules: {
      ...inward({
        group: ['**/workflows/**', '**/worker/**', '**/cli/**', '**/sandbox/**'],
        message: 'activities import domain only.',
      }),
      ...noEnvironment,
    },
  },
  {
    files: ['worker/**/*.ts', 'cli/**/*.ts', 'loadtester/**/*.ts'],
    ignores: ['**/config.ts', '**/main.ts'],
    rules: noEnvironment,
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
