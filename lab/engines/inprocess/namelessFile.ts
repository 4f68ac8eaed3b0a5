import { randomUUID } from "node:crypto";
import { fstatSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** A file that has no name any more: nothing of it is left on disk, however we end. */
export function openNameless(content = ""): number {
  const file = path.join(tmpdir(), `engine-${randomUUID()}`);
  writeFileSync(file, content, { mode: 0o600, flag: "wx" });
  const descriptor = openSync(file, "r+");
  rmSync(file);
  return descriptor;
}

/** All that was written into it. */
export function readAll(descriptor: number): string {
  const bytes = Buffer.alloc(fstatSync(descriptor).size);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, length);
    if (count === 0) {
      break;
    }
    length += count;
  }
  return bytes.toString("utf8", 0, length);
}
