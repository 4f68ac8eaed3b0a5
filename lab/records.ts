import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { labsDirectory } from "./paths";
import type { ProcessIdentity } from "./processIdentity";

/** Kept in a lab's directory, so that others can tell whose it is and whether it still lives. */
export interface LabRecord {
  readonly number: number;
  readonly name: string;
  readonly owner: ProcessIdentity;
}

/** Kept in a host's directory. */
export interface HostRecord {
  readonly name: string;
  readonly machine: string;
  readonly distribution: string;
  readonly address: string;
  readonly hostKey: string;
  readonly privateKeyFile: string;
  /** The running systemd-nspawn; absent while the host is off. */
  readonly process?: ProcessIdentity | undefined;
  readonly bootedAt?: string | undefined;
}

const recordName = "record.json";

/** Writes the record of a lab or host into its directory, whole or not at all. */
export function writeRecord(directory: string, record: LabRecord | HostRecord): void {
  const file = join(directory, recordName);
  writeFileSync(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** The labs that have a directory, dead ones among them; those without a record have none. */
export function readLabs(): { directory: string; number: number; record?: LabRecord }[] {
  return directoriesIn(labsDirectory)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const directory = join(labsDirectory, name);
      const record = readRecord<LabRecord>(directory);
      return { directory, number: Number(name), ...(record && { record }) };
    });
}

/** The hosts of a lab, by its directory. */
export function readHosts(labDirectory: string): { directory: string; record?: HostRecord }[] {
  const hosts = join(labDirectory, "hosts");
  return directoriesIn(hosts).map((name) => {
    const directory = join(hosts, name);
    const record = readRecord<HostRecord>(directory);
    return { directory, ...(record && { record }) };
  });
}

/** Removes a record first and then the directory: what is half removed belongs to nobody. */
export function removeWithRecord(directory: string): void {
  rmSync(join(directory, recordName), { force: true });
  rmSync(directory, { recursive: true, force: true });
}

function directoriesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function readRecord<Kind>(directory: string): Kind | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, recordName), "utf8")) as Kind;
  } catch {
    return undefined;
  }
}
