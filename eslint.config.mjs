import tseslint from 'typescript-eslint';

/** Typed rules find what the compiler lets pass: floating promises, misused awaits, unsafe `any`. */
export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '**/cdktf.out/', '**/*.cjs', '**/*.mjs', 'jest.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },
);
