import { existsSync } from "node:fs";
import * as path from "node:path";

import { EngineError, type Engine, type EngineOptions } from "./contract";
import { InProcessEngine } from "./inprocess/engine";
import { PulumiEngine } from "./pulumi/engine";
import { findPulumi } from "./pulumi/find";

export * from "./contract";

/**
 * Makes an engine. `auto` takes the real one when it is complete, and says which it took and why.
 *
 * @throws EngineError when the Pulumi CLI was asked for and is not usable here
 */
export async function createEngine(
  kind: "auto" | "pulumi" | "inprocess",
  options: EngineOptions,
): Promise<Engine> {
  for (const file of ["index.ts", "Pulumi.yaml"]) {
    if (!existsSync(path.join(options.program, file))) {
      throw new EngineError(`${options.program} has no ${file}`, "");
    }
  }
  if (kind === "inprocess") {
    return new InProcessEngine(options);
  }
  const say = options.onOutput ?? ((text: string) => process.stderr.write(text));
  const found = await findPulumi();
  if (found.usable) {
    say(`Engine: the Pulumi CLI ${found.version}.\n`);
    return new PulumiEngine(options, found.searchPath);
  }
  if (kind === "pulumi") {
    throw new EngineError(`the Pulumi CLI is not usable: ${found.reason}`, "");
  }
  say(`Engine: the in-process test instrument, because ${found.reason}.\n`);
  return new InProcessEngine(options);
}
