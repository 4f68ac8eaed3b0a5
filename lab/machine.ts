import { spawn } from "node:child_process";
import {
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { identify, isAlive, sleepNow, type ProcessIdentity } from "./processIdentity";

/** What it takes to start a machine. */
export interface MachineOptions {
  /** Unique on this computer, and short: the network card is named after it. */
  readonly machine: string;
  readonly hostname: string;
  readonly root: string;
  readonly bridge: string;
  readonly consoleFile: string;
  /** Called when the machine has ended, and told whether it wants to be started again. */
  readonly onEnd: (reboots: boolean) => void;
}

// With --keep-unit, systemd-nspawn leaves it to whoever started it to start the machine again.
const rebootExitCode = 133;

const groupsName = "nix-binary-cache-lab";

// Enters the control group, then becomes systemd-nspawn: the process keeps its number.
const launcher = 'group=$1; shift; echo $$ > "$group/cgroup.procs"; exec "$@"';

/** Starts a machine and answers with the identity of its systemd-nspawn. */
export function startMachine(options: MachineOptions): ProcessIdentity {
  const group = createGroup(options.machine);
  const console = openSync(options.consoleFile, "a");
  const nspawn = [
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--console=read-only",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    // IPAddressDeny= of the units inside is made of these programs for the kernel.
    "--system-call-filter=bpf",
    `--directory=${options.root}`,
    `--machine=${options.machine}`,
    `--hostname=${options.hostname}`,
    `--network-bridge=${options.bridge}`,
  ];
  // A machine never outlives the process that owns it, not even when that is killed.
  const tied = ["--pdeathsig", "KILL", "sh", "-ec", launcher, "sh", group, ...nspawn];
  const child = spawn("setpriv", tied, {
    // A session of its own, or Ctrl-C in a terminal would reach it.
    detached: true,
    env: { ...process.env, UNIFIED_CGROUP_HIERARCHY: "1" },
    stdio: ["ignore", console, console],
  });
  closeSync(console);
  child.unref();
  child.on("exit", (code) => options.onEnd(code === rebootExitCode));
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) {
    throw new Error(`systemd-nspawn did not start; see ${options.consoleFile}`);
  }
  return identity;
}

/** Asks the machine to power off, as its power button would. */
export function pressPowerButton(identity: ProcessIdentity): void {
  if (isAlive(identity)) {
    process.kill(identity.pid, "SIGTERM");
  }
}

/** Ends a machine at once, like a power cut, provided that it really is this machine. */
export function cutPower(machine: string, identity: ProcessIdentity | undefined): void {
  if (identity !== undefined && isAlive(identity) && isNspawnOf(machine, identity.pid)) {
    process.kill(identity.pid, "SIGKILL");
  }
  const group = groupOf(machine);
  try {
    writeFileSync(join(group, "cgroup.kill"), "1");
  } catch {
    // Either nothing is left of the machine, or the kernel is older than this file.
  }
  for (let attempt = 0; attempt < 200 && identity !== undefined && isAlive(identity); attempt++) {
    sleepNow(10);
  }
  removeGroups(machine);
}

function isNspawnOf(machine: string, pid: number): boolean {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return commandLine.includes(`--machine=${machine}`);
  } catch {
    return false;
  }
}

/**
 * With --keep-unit, systemd-nspawn puts the machine into the control group it was started in. Two
 * machines in one group would stop one another's services.
 */
function createGroup(machine: string): string {
  const group = groupOf(machine);
  removeGroups(machine);
  mkdirSync(group, { recursive: true });
  return group;
}

function groupOf(machine: string): string {
  return join(mountPointOf("cgroup2"), groupsName, machine);
}

function mountPointOf(type: string): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const found = mounts.map((line) => line.split(" ")).find((fields) => fields[2] === type);
  if (found?.[1] === undefined) {
    throw new Error(`the lab needs a ${type} file system, and none is mounted on this machine`);
  }
  return found[1];
}

function removeGroups(machine: string): void {
  // Beside the unified hierarchy, systemd-nspawn uses the old one named systemd where it exists.
  for (const hierarchy of [mountPointOf("cgroup2"), "/sys/fs/cgroup/systemd"]) {
    const group = join(hierarchy, groupsName, machine);
    for (let attempt = 0; attempt < 100 && !removeGroup(group); attempt++) {
      sleepNow(20);
    }
  }
}

function removeGroup(group: string): boolean {
  let removed = true;
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        removed = removeGroup(join(group, entry.name)) && removed;
      }
    }
    rmdirSync(group);
  } catch (error) {
    removed &&= (error as NodeJS.ErrnoException).code === "ENOENT";
  }
  return removed;
}
