import { readFileSync } from "node:fs";

import { cutPower } from "./machine";
import { removeNetwork } from "./network";
import { isAlive } from "./processIdentity";
import { runProgramNow } from "./programs";
import { readHosts, readLabs, removeWithRecord } from "./records";

/**
 * Takes a lab away with everything it has on this machine: machines, mounts, network, files. It
 * works from the lab's directory alone, and without ever yielding, so it serves a process that ends
 * as well as the next one that finds what a killed process left.
 */
export function removeLab(directory: string, number: number): void {
  for (const host of readHosts(directory)) {
    if (host.record !== undefined) {
      cutPower(host.record.machine, host.record.process);
    }
  }
  unmountBelow(directory);
  removeNetwork(number);
  removeWithRecord(directory);
}

/** Takes away the labs whose owners are gone. */
export function removeDeadLabs(): void {
  for (const { directory, number, record } of readLabs()) {
    if (record === undefined) {
      removeWithRecord(directory);
    } else if (!isAlive(record.owner)) {
      removeLab(directory, number);
    }
  }
}

/** Unmounts everything below a directory, the innermost first. */
export function unmountBelow(directory: string): void {
  const mountPoints = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((mountPoint) => mountPoint.startsWith(`${directory}/`));
  for (const mountPoint of mountPoints.reverse()) {
    runProgramNow("umount", ["--lazy", mountPoint]);
  }
}
