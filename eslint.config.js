"use strict";

const pulumi = require("@pulumi/eslint-plugin");
const typescript = require("typescript-eslint");

module.exports = typescript.config(
  { ignores: ["node_modules/", ".pulumi/"] },
  ...typescript.configs.recommendedTypeChecked,
  {
    files: ["**/*.ts"],
    plugins: { "@pulumi": pulumi },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: __dirname },
    },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.js"],
    ...typescript.configs.disableTypeChecked,
    rules: {
      ...typescript.configs.disableTypeChecked.rules,
      "@typescript-eslint/no-require-imports": "off",
    },
    languageOptions: {
      globals: { module: "readonly", require: "readonly", __dirname: "readonly" },
    },
  },
);
