import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import {
  createEngine,
  type Engine,
  EngineError,
  type Result,
  type StackConfiguration,
} from "../../../lab/engines/engine";
import type { Lab, LabHost } from "../../../lab/lab";

const PROGRAM = join(__dirname, "..", "..", "..");

/** Which engine the lab tests run on; CI has no Pulumi CLI. */
const KIND = process.env["NIX_BINARY_CACHE_ENGINE"] === "pulumi" ? "pulumi" : "inprocess";

/** A stack of the program on hosts of a lab, with a state of its own. */
export function newStack(lab: Lab, hosts: readonly LabHost[], stack = "lab"): Promise<Engine> {
  return createEngine(KIND, {
    directory: mkdtempSync(join(lab.directory, "stack-")),
    program: PROGRAM,
    stack,
    allowedHosts: hosts.map(({ address }) => address),
  });
}

/** `up`, with all that was printed in the message of the error if it fails. */
export async function up(engine: Engine, configuration: StackConfiguration): Promise<Result> {
  try {
    return await engine.up(configuration);
  } catch (error) {
    if (error instanceof EngineError) throw new Error(`${error.message}\n${error.log}`);
    throw error;
  }
}

/** What an `up` says that is expected to fail, without the indentation that engines differ in. */
export async function failedUp(engine: Engine, configuration: StackConfiguration): Promise<string> {
  try {
    await engine.up(configuration);
  } catch (error) {
    if (error instanceof EngineError) return error.log.replaceAll(/^[ \t]+/gm, "");
    throw error;
  }
  throw new Error("the run was expected to fail, and did not");
}

/** The changed commands of a run: `update cachy.local-site`. */
export function commandChanges(result: Result): string[] {
  return result.changes
    .filter(({ type }) => type.startsWith("command:"))
    .map(({ operation, name }) => `${operation} ${name}`)
    .sort();
}
