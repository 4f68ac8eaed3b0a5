import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isInstalled, run } from "./processes";

/** `test` where Nix is on this machine; elsewhere its tests are skipped, and this says so. */
export function testWithNix(): jest.It {
  if (isInstalled("nix-instantiate")) return test;
  console.warn("nix-instantiate is missing: the tests that evaluate Nix expressions are skipped");
  return test.skip;
}

/** What Nix makes of an expression, without a store. */
export function evaluate(expression: string): unknown {
  const directory = mkdtempSync(join(tmpdir(), "nix-binary-cache-unit-"));
  try {
    const path = join(directory, "expression.nix");
    writeFileSync(path, expression);
    const words = ["--store", "dummy://", "--eval", "--strict", "--json", path];
    const { status, stdout, stderr } = run("nix-instantiate", words);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(stdout) as unknown;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
