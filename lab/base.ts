import { join } from "node:path";

import { runProgram } from "./programs";

/** The parts of the base that hosts are made of. */
export interface Base {
  /** Directories to lay over one another, as the overlay file system takes them. */
  readonly debian: string;
  readonly arch: string;
  readonly privateKey: string;
}

/** Installs what the lab needs on this machine and builds what is missing of the base. */
export async function prepareBase(): Promise<Base> {
  await mustRun(join(__dirname, "prerequisites.sh"));
  return JSON.parse(await mustRun(join(__dirname, "base", "build.sh"))) as Base;
}

async function mustRun(program: string): Promise<string> {
  const result = await runProgram(program, [], { showErrors: true });
  if (result.code !== 0) {
    throw new Error(`${program} failed; what it said is above`);
  }
  return result.stdout;
}
