import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. Throws if it cannot be started. */
export function run(
  program: string,
  words: readonly string[],
  { input = "", environment = {} }: RunOptions = {},
): Finished {
  const finished = spawnSync(program, words, {
    input,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C.UTF-8", ...environment },
    timeout: 20_000,
  });
  // A program may end before it has read its input.
  const code = (finished.error as NodeJS.ErrnoException | undefined)?.code;
  if (finished.error !== undefined && code !== "EPIPE") throw finished.error;
  return { status: finished.status, stdout: finished.stdout, stderr: finished.stderr };
}

/** Whether a program is on the PATH of this machine. */
export function isInstalled(program: string): boolean {
  return run("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;
}

/** A directory that goes away with the tests of the file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "nix-binary-cache-unit-"));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}
