import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/**
 * Locks a stack. As with the real engine the lock outlives an engine that was killed, and stays
 * until somebody cancels.
 *
 * @throws Error when it is locked already
 */
export function lock(file: string): () => void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    const note = `created by process ${process.pid} at ${new Date().toISOString()}`;
    writeFileSync(file, note, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
    throw new Error(
      "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end " +
        `or cancel: ${readFileSync(file, "utf8")}`,
    );
  }
  return () => rmSync(file, { force: true });
}
