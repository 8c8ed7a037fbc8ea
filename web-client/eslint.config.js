import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/**', 'node_modules/**', 'src/core/proto/gen/**', 'src/core/records/gen/**'] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    rules: {
      'no-console': 'error',
      'no-undef': 'off',
      eqeqeq: ['error', 'always'],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
    rules: { 'svelte/no-at-html-tags': 'error' },
  },
  {
    // The stores keep indexes in plain maps on purpose; what is shown is `$state`.
    files: ['src/state/**/*.svelte.ts'],
    rules: { 'svelte/prefer-svelte-reactivity': 'off' },
  },
  {
    // The core is free of any framework, so that a bot, a load tool or a native shell can use it.
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['svelte', 'svelte/*', '*.svelte', '*.svelte.ts', 'bits-ui', 'virtua', 'virtua/*'],
              message: 'core/ knows no UI framework.',
            },
            {
              group: ['**/state/*', '**/state', '**/features/**', '**/ui/**', '**/i18n/**'],
              message: 'core/ knows no layer above it.',
            },
          ],
        },
      ],
    },
  },
);
