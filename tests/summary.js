"use strict";

// Adds up the result files of jest that are named as arguments; a test file that could not be run
// counts as a failed test.
const { readFileSync } = require("node:fs");

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  const result = JSON.parse(readFileSync(path, "utf8"));
  sum.passed += result.numPassedTests;
  sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  sum.skipped += result.numPendingTests + result.numTodoTests;
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
