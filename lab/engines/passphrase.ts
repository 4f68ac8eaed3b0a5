import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { EngineOptions } from "./contract";

/** The passphrase of an engine's state: the one given, or one made once for its directory. */
export function passphraseOf({ passphrase, directory }: EngineOptions): string {
  if (passphrase !== undefined) {
    return passphrase;
  }
  const file = path.join(directory, "passphrase");
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  return readFileSync(file, "utf8");
}
