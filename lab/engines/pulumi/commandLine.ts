import { spawn } from "node:child_process";

/** How a command of the CLI ended. */
export interface CommandOutcome {
  /** Absent when it was killed. */
  readonly status: number | null;
  readonly stdout: string;
  /** Both streams as a user sees them. */
  readonly log: string;
  readonly seconds: number;
}

/** What to do while a command runs. */
export interface CommandOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** Runs the Pulumi CLI. */
export async function pulumi(
  words: readonly string[],
  { environment, onOutput, signal }: CommandOptions,
): Promise<CommandOutcome> {
  const started = performance.now();
  // A group of its own, so that it can be killed together with what it keeps in its group. The
  // CLI gives its plugins groups of their own: they outlive it.
  const child = spawn("pulumi", words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
    detached: true,
  });
  const log: string[] = [];
  const stdout: string[] = [];
  const collect = (chunk: string): void => {
    log.push(chunk);
    onOutput?.(chunk);
  };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout.push(chunk);
    collect(chunk);
  });
  child.stderr.setEncoding("utf8").on("data", collect);
  const kill = (): void => {
    if (child.pid !== undefined) {
      process.kill(-child.pid, "SIGKILL");
    }
  };
  signal?.addEventListener("abort", kill);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      // Not "close": orphaned plugins may hold the streams open for as long as they like.
      child.once("exit", (code) => {
        setImmediate(() => resolve(code));
      });
      if (signal?.aborted === true) {
        kill();
      }
    });
    const seconds = (performance.now() - started) / 1000;
    return { status, stdout: stdout.join(""), log: log.join(""), seconds };
  } finally {
    signal?.removeEventListener("abort", kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
