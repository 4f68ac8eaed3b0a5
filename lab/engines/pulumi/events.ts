import { existsSync, readFileSync } from "node:fs";

import type { Change, Operation } from "../contract";

/** What the CLI notes of one step in its event log. */
interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly diffs?: readonly string[] | null;
  readonly keys?: readonly string[] | null;
}

interface Event {
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
}

// A replacement is noted as several steps, of which one is counted.
const operations: Readonly<Record<string, Operation>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
};

/** Reads from the CLI's event log what a run did, or in a preview would do. */
export function readChanges(file: string): Change[] {
  if (!existsSync(file)) {
    return [];
  }
  // A CLI that was killed may have left half a line.
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  // A component is told of when it is registered, and in a preview again with its outputs.
  const changes = new Map<string, Change>();
  for (const line of lines) {
    const metadata = (JSON.parse(line) as Event).resOutputsEvent?.metadata;
    const operation = metadata === undefined ? undefined : operations[metadata.op];
    if (
      metadata !== undefined &&
      operation !== undefined &&
      !metadata.type.startsWith("pulumi:providers:")
    ) {
      const name = metadata.urn.split("::").slice(3).join("::");
      const changedInputs = [...(metadata.diffs ?? metadata.keys ?? [])].sort();
      const change = { operation, type: metadata.type, name, changedInputs };
      changes.set(`${operation} ${metadata.urn}`, change);
    }
  }
  return [...changes.values()];
}
