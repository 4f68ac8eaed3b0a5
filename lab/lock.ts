import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Runs an action while no other process holds the lock on this file. */
export async function withLock<Result>(
  file: string,
  action: () => Result | Promise<Result>,
): Promise<Result> {
  mkdirSync(dirname(file), { recursive: true });
  // Node cannot lock files; flock(1) can, and the kernel lets go when either process dies.
  const holder = spawn("flock", [file, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await new Promise((resolve, reject) => {
      holder.stdout.once("data", resolve);
      holder.once("error", reject);
      holder.once("exit", () => reject(new Error(`cannot lock ${file}`)));
    });
    return await action();
  } finally {
    const ended = new Promise((resolve) => holder.once("close", resolve));
    holder.stdin.end();
    await ended;
  }
}
