import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { HostProgram } from "../../render/hostSets";

const DIRECTORY = join(__dirname, "..", "..", "host");
const BOOTSTRAP = "bootstrap";

/** What the first command on a host runs: it unpacks the set behind it and has it applied. */
export function bootstrapText(): string {
  return readFileSync(join(DIRECTORY, BOOTSTRAP), "utf8");
}

/** The programs of `host/`, sorted by name. */
export function hostPrograms(): HostProgram[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name !== BOOTSTRAP && !name.startsWith("."))
    .sort()
    .map((name) => {
      const path = join(DIRECTORY, name);
      const text = readFileSync(path, "utf8");
      return { name, text, executable: (statSync(path).mode & 0o100) !== 0 };
    });
}
