import { spawn } from "node:child_process";
import { closeSync, rmSync } from "node:fs";
import * as path from "node:path";

import { kill, processes } from "../processes";
import type { RunReport, RunRequest } from "./messages";
import { openNameless, readAll } from "./namelessFile";

/** How a run went. */
export interface ChildOutcome {
  /** Absent when the process did not come to its end. */
  readonly report: RunReport | undefined;
  readonly log: string;
}

/** How to watch a run, and how to end it. */
export interface ChildOptions {
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
}

function environment({ configuration, secretKeys }: RunRequest): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(configuration),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    // A run under jest must not think that it is a test itself.
    NODE_OPTIONS: "",
  };
}

/**
 * Kills a run with the consequences that it has under the real engine: a provider that loses its
 * engine kills the shells of local commands, while what runs on other machines lives on.
 */
function killEngine(id: number | undefined): void {
  if (id === undefined) {
    return;
  }
  const commands = processes().filter(({ parent, program }) => parent === id && program !== "ssh");
  [{ id }, ...commands].forEach(kill);
}

/** Does a run in a process of its own and waits for its end. */
export async function runChild(request: RunRequest, options: ChildOptions): Promise<ChildOutcome> {
  const reportFile = openNameless();
  try {
    const child = spawn(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), path.join(__dirname, "child.ts")],
      { stdio: ["pipe", "pipe", "pipe", reportFile], env: environment(request) },
    );
    const chunks: string[] = [];
    // Whole lines are passed on, so that a secret in one can be recognised.
    let rest = "";
    const collect = (chunk: string): void => {
      chunks.push(chunk);
      const end = (rest + chunk).lastIndexOf("\n") + 1;
      const lines = (rest + chunk).slice(0, end);
      rest = (rest + chunk).slice(end);
      options.onOutput?.(lines);
    };
    child.stdout!.setEncoding("utf8").on("data", collect);
    child.stderr!.setEncoding("utf8").on("data", collect);
    // A process that dies early breaks this pipe, and says more about it than the pipe does.
    child.stdin!.on("error", () => undefined).end(JSON.stringify(request));
    const abort = (): void => killEngine(child.pid);
    options.signal?.addEventListener("abort", abort);
    if (options.signal?.aborted === true) {
      abort();
    }
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
    });
    options.signal?.removeEventListener("abort", abort);
    rmSync(request.workDirectory, { recursive: true, force: true });
    const report = readAll(reportFile);
    return {
      report: report === "" ? undefined : (JSON.parse(report) as RunReport),
      log: chunks.join(""),
    };
  } finally {
    closeSync(reportFile);
  }
}
