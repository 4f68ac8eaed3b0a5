import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { isAlive } from "./processIdentity";
import { readHosts, readLabs } from "./records";
import { sshParameters } from "./ssh";
import { findStandingLab, keepStandingLab, startStandingLab, stopStandingLab } from "./standing";

const usage = `npm run lab -- up                     boot cachy, cachy2 and deadbeef, and leave them running
npm run lab -- status                 what is running, tests included
npm run lab -- ssh [USER@]HOST [CMD]  log in, as root unless said otherwise
npm run lab -- down                   take all of it away
`;

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case "up":
      say((await startStandingLab()) ? "The lab is up." : "The lab was up already.");
      return status();
    case "status":
      return status();
    case "ssh":
      return ssh(rest);
    case "down":
      say((await stopStandingLab()) ? "The lab is gone." : "The lab was not up.");
      return 0;
    case "keep":
      await keepStandingLab();
      return 0;
    default:
      process.stderr.write(usage);
      return command === undefined || command === "help" ? 0 : 2;
  }
}

function status(): number {
  const rows = [["HOST", "LAB", "DISTRIBUTION", "ADDRESS", "PID", "UP FOR"]];
  for (const lab of readLabs()) {
    if (lab.record === undefined || !isAlive(lab.record.owner)) {
      continue;
    }
    for (const { record } of readHosts(lab.directory)) {
      if (record !== undefined) {
        const isOn = record.process !== undefined && isAlive(record.process);
        const uptime = isOn ? age(record.bootedAt) : "off";
        const pid = isOn ? String(record.process.pid) : "-";
        rows.push([record.name, lab.record.name, record.distribution, record.address, pid, uptime]);
      }
    }
  }
  if (rows.length === 1) {
    say("Nothing is running.");
    return 0;
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    );
  }
  return 0;
}

function age(since: string | undefined): string {
  const seconds = since === undefined ? 0 : Math.round((Date.now() - Date.parse(since)) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min ${seconds % 60} s`;
}

function ssh([target, ...command]: readonly string[]): number {
  const lab = findStandingLab();
  if (lab === undefined) {
    process.stderr.write("The lab is not up; npm run lab -- up\n");
    return 1;
  }
  const [, user = "root", name] = /^(?:([^@]+)@)?(.+)$/.exec(target ?? "") ?? [];
  const hosts = readHosts(lab.directory);
  const host = hosts.find(({ record }) => record?.name === name);
  if (host?.record === undefined) {
    const names = hosts.map(({ record }) => record?.name).join(", ");
    process.stderr.write(`Which host? There are ${names}.\n`);
    return 2;
  }
  const parameters = sshParameters({
    address: host.record.address,
    user,
    privateKeyFile: host.record.privateKeyFile,
    knownHostsFile: join(host.directory, "known_hosts"),
  });
  return spawnSync("ssh", [...parameters, ...command], { stdio: "inherit" }).status ?? 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
