import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { LabHost } from "../../../lab/lab";

/** How many logins by ssh the host has seen; the question itself is one of them. */
export async function logins(host: LabHost): Promise<number> {
  const journal =
    "journalctl --no-pager --output=cat SYSLOG_IDENTIFIER=sshd + SYSLOG_IDENTIFIER=sshd-session";
  return Number(await host.must(`${journal} | grep -c '^Accepted publickey'`));
}

/** A value that changes whenever the unit is started anew. */
export async function startOf(host: LabHost, unit: string): Promise<string> {
  return (await host.must(`systemctl show --property=InvocationID --value ${unit}`)).trim();
}

const SNAPSHOT = readFileSync(join(__dirname, "snapshot.sh"), "utf8");

/** All that a configuration set could have touched on the host, as lines. */
export async function snapshot(host: LabHost): Promise<string[]> {
  return (await host.must("bash -s", { input: SNAPSHOT })).split("\n");
}
