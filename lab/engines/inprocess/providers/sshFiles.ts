import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Connection, Endpoint } from "./connection";

/** The files that one `ssh` is given; they go when it has ended. */
export interface SshFiles {
  readonly directory: string;
  readonly configuration: string;
  /** What `ssh` itself has to say, apart from the command's own messages. */
  readonly log: string;
  /** The same of the one that reaches the proxy. */
  readonly proxyLog: string;
}

/** The name of the target in the configuration file. */
export const targetAlias = "target";
const proxyAlias = "proxy";

function quote(value: string): string {
  return `"${value.replace(/"/g, '\\"')}"`;
}

function writeSecretFile(directory: string, name: string, content: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, content, { mode: 0o600 });
  // In the names of these files `ssh` expands what follows a percent sign.
  return quote(file.replace(/%/g, "%%"));
}

function identity(endpoint: Endpoint, alias: string, directory: string): string[] {
  if (endpoint.privateKey === undefined) {
    return endpoint.agentSocket === undefined
      ? ["IdentityAgent none", "IdentityFile none"]
      : [`IdentityAgent ${quote(endpoint.agentSocket)}`, "IdentityFile none"];
  }
  // With a private key the provider never gets to the agent's keys.
  return [
    "IdentityAgent none",
    "IdentitiesOnly yes",
    `IdentityFile ${writeSecretFile(directory, `${alias}-key`, endpoint.privateKey)}`,
  ];
}

function hostKey(endpoint: Endpoint, alias: string, directory: string): string[] {
  if (endpoint.hostKey === undefined) {
    return ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null"];
  }
  const { type, base64 } = endpoint.hostKey;
  const known = writeSecretFile(directory, `${alias}-known`, `${alias} ${type} ${base64}\n`);
  return [
    "StrictHostKeyChecking yes",
    `HostKeyAlias ${alias}`,
    `HostKeyAlgorithms ${type}`,
    `UserKnownHostsFile ${known}`,
  ];
}

function section(endpoint: Endpoint, alias: string, directory: string): string[] {
  return [
    `Host ${alias}`,
    ...[
      `HostName ${endpoint.host}`,
      `Port ${endpoint.port}`,
      `User ${quote(endpoint.user)}`,
      `ConnectTimeout ${endpoint.perDialTimeout === 0 ? "none" : endpoint.perDialTimeout}`,
      ...identity(endpoint, alias, directory),
      ...hostKey(endpoint, alias, directory),
    ].map((line) => `  ${line}`),
  ];
}

/** One word for the shell that `ssh` gives its proxy command to, past its own `%` expansion. */
function shellWord(value: string): string {
  return `'${value.replace(/'/g, "'\\''").replace(/%/g, "%%")}'`;
}

const common = [
  "Host *",
  "  BatchMode yes",
  "  PreferredAuthentications publickey",
  "  GlobalKnownHostsFile /dev/null",
  "  CheckHostIP no",
  "  UpdateHostKeys no",
  "  ConnectionAttempts 1",
  "  ControlMaster no",
  "  ControlPath none",
  "  ForwardAgent no",
  "  ForwardX11 no",
  "  RequestTTY no",
  "  LogLevel VERBOSE",
];

/**
 * Writes what `ssh` needs for a connection, in a directory of its own below `parent` that only we
 * can read. Given as `-F`, the configuration also keeps the user's and the system's own out.
 */
export function writeSshFiles(
  connection: Connection,
  environmentNames: readonly string[],
  parent: string,
): SshFiles {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(path.join(parent, "ssh-"));
  const { proxy } = connection;
  const configuration = path.join(directory, "configuration");
  const proxyLog = path.join(directory, "proxy-log");
  const throughProxy = `ssh -F ${shellWord(configuration)} -E ${shellWord(proxyLog)}`;
  const lines = [
    ...section(connection, targetAlias, directory),
    ...(proxy === undefined ? [] : [`  ProxyCommand ${throughProxy} -W [%h]:%p ${proxyAlias}`]),
    ...environmentNames.map((name) => `  SendEnv ${name}`),
    ...(proxy === undefined ? [] : section(proxy, proxyAlias, directory)),
    ...common,
    "",
  ];
  writeFileSync(configuration, lines.join("\n"), { mode: 0o600 });
  return { directory, configuration, log: path.join(directory, "log"), proxyLog };
}
