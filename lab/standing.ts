import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { prepareBase } from "./base";
import { Lab, type LabHostOptions } from "./lab";
import { withLock } from "./lock";
import { cacheDirectory, labsDirectory } from "./paths";
import { isAlive } from "./processIdentity";
import { readLabs, type LabRecord } from "./records";
import { removeDeadLabs } from "./removal";

/** The lab that outlives commands: a keeper in the background owns it. */
export const standingName = "standing";

const hosts: readonly LabHostOptions[] = [
  { name: "cachy", distribution: "debian", domains: ["cachy.local"] },
  { name: "cachy2", distribution: "arch", domains: ["cachy2.local"] },
  { name: "deadbeef", distribution: "debian", domains: ["deadbeef.local"] },
];

const readyName = "ready";
const keeperLog = join(cacheDirectory, "standing.log");

/** The standing lab, if it is up. */
export function findStandingLab(): { directory: string; record: LabRecord } | undefined {
  for (const { directory, record } of readLabs()) {
    if (record?.name === standingName && isAlive(record.owner)) {
      return { directory, record };
    }
  }
  return undefined;
}

/** Starts the keeper and waits until its hosts are up; false when they were already. */
export async function startStandingLab(): Promise<boolean> {
  if (findStandingLab() !== undefined) {
    return false;
  }
  // Here rather than in the keeper, so that what it says while it builds can be seen.
  await prepareBase();
  mkdirSync(cacheDirectory, { recursive: true });
  const log = openSync(keeperLog, "w");
  const parameters = [...process.execArgv, join(__dirname, "commandline.ts"), "keep"];
  const keeper = spawn(process.execPath, parameters, {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let ended = false;
  keeper.on("exit", () => (ended = true));
  keeper.on("error", () => (ended = true));
  while (!isReady()) {
    if (ended) {
      throw new Error(`the lab did not come up:\n${readFileSync(keeperLog, "utf8")}`);
    }
    await pause();
  }
  keeper.unref();
  return true;
}

/** Ends the keeper and with it the lab; false when there was none. */
export async function stopStandingLab(): Promise<boolean> {
  const lab = findStandingLab();
  if (lab !== undefined) {
    process.kill(lab.record.owner.pid, "SIGTERM");
    while (isAlive(lab.record.owner)) {
      await pause();
    }
  }
  await withLock(join(labsDirectory, "lock"), removeDeadLabs);
  return lab !== undefined;
}

/** What the keeper does: it boots the hosts and stays until it is told to end. */
export async function keepStandingLab(): Promise<void> {
  const lab = await Lab.open({ name: standingName });
  await Promise.all(hosts.map((host) => lab.host(host)));
  writeFileSync(join(lab.directory, readyName), "");
  // Something has to be left to do, or Node ends the process.
  setInterval(() => undefined, 24 * 60 * 60 * 1000);
}

function isReady(): boolean {
  const lab = findStandingLab();
  return lab !== undefined && existsSync(join(lab.directory, readyName));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
