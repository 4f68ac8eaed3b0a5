import { spawn } from "node:child_process";
import { closeSync } from "node:fs";

import { openNameless, readAll } from "../namelessFile";

/** A process to run to its end. */
export interface Execution {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly stdin?: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** Kill it after so many milliseconds. */
  readonly timeout?: number;
}

/** How a process ended. */
export interface Ended {
  /** Absent when a signal ended it. */
  readonly status?: number;
  readonly signal?: NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a process to its end. Its streams are files, not pipes, so that it lives on undisturbed
 * when this engine is killed, as a command does under an orphaned provider of the real one.
 *
 * @throws Error when it cannot be started
 */
export async function execute(execution: Execution): Promise<Ended> {
  const input = execution.stdin === undefined ? undefined : openNameless(execution.stdin);
  const stdout = openNameless();
  const stderr = openNameless();
  try {
    const child = spawn(execution.program, execution.arguments, {
      stdio: [input ?? "ignore", stdout, stderr],
      env: execution.environment,
      cwd: execution.directory,
      timeout: execution.timeout,
      killSignal: "SIGKILL",
    });
    return await new Promise<Ended>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status, signal) =>
        resolve({
          ...(status === null ? {} : { status }),
          ...(signal === null ? {} : { signal }),
          stdout: readAll(stdout),
          stderr: readAll(stderr),
        }),
      );
    });
  } finally {
    [input, stdout, stderr].forEach(
      (descriptor) => descriptor !== undefined && closeSync(descriptor),
    );
  }
}

/** This process's environment as a command should see it: without the stack's configuration. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (/^PULUMI_CONFIG/.test(name)) {
      delete environment[name];
    }
  }
  return environment;
}
