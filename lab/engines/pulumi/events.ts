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
  return lines.flatMap((line) => {
    const metadata = (JSON.parse(line) as Event).resOutputsEvent?.metadata;
    const operation = metadata === undefined ? undefined : operations[metadata.op];
    if (metadata === undefined || operation === undefined) {
      return [];
    }
    if (metadata.type.startsWith("pulumi:providers:")) {
      return [];
    }
    const name = metadata.urn.split("::").slice(3).join("::");
    const changed = metadata.diffs ?? metadata.keys ?? [];
    return [{ operation, type: metadata.type, name, changedInputs: [...changed].sort() }];
  });
}
