import { spawn } from "node:child_process";
import { closeSync, rmSync } from "node:fs";
import * as path from "node:path";

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
    const collect = (chunk: string): void => {
      chunks.push(chunk);
      options.onOutput?.(chunk);
    };
    child.stdout!.setEncoding("utf8").on("data", collect);
    child.stderr!.setEncoding("utf8").on("data", collect);
    // A process that dies early breaks this pipe, and says more about it than the pipe does.
    child.stdin!.on("error", () => undefined).end(JSON.stringify(request));
    // Only the process itself: what it had started lives on, as under the real engine.
    const kill = (): boolean => child.kill("SIGKILL");
    options.signal?.addEventListener("abort", kill);
    if (options.signal?.aborted === true) {
      kill();
    }
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
    });
    options.signal?.removeEventListener("abort", kill);
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
