import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";

import { type Problem, spellPath } from "./problems";
import type { Parsed } from "./schema";
import { SecretText } from "./secretText";
import { kindOfPrivateKey } from "./values";

/** One ssh endpoint: where, as whom, with which key, and whose host key is expected. */
export interface SshEndpoint {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Undefined where the key is asked for on first use and pinned from then on. */
  readonly hostKey?: string;
  /** Undefined where a running ssh-agent holds the key. */
  readonly privateKey?: SecretText;
  readonly privateKeyPassword?: SecretText;
}

export type HostConnection =
  | { readonly kind: "local" }
  | {
      readonly kind: "ssh";
      readonly endpoint: SshEndpoint;
      readonly bastion?: SshEndpoint;
      /** How long a host that is still booting is waited for, in seconds. */
      readonly waitSeconds: number;
    };

/** What the configuration needs to know of the machine that Pulumi runs on. */
export interface Environment {
  readonly agentSocket: string | undefined;
  readFile(path: string): string;
  /** Whether somebody listens on a unix socket. */
  isListening(socket: string): boolean;
}

export const machineEnvironment: Environment = {
  agentSocket: process.env["SSH_AUTH_SOCK"] === "" ? undefined : process.env["SSH_AUTH_SOCK"],
  readFile: (path) => readFileSync(expandHome(path), "utf8"),
  isListening: (socket) =>
    spawnSync(process.execPath, ["-e", CONNECT, socket], { stdio: "ignore", timeout: 5000 })
      .status === 0,
};

/** Asking /proc/net/unix would not see a socket behind a link or one mounted into a container. */
const CONNECT = `require("node:net").connect(process.argv[1])
  .on("connect", () => process.exit(0)).on("error", () => process.exit(1))`;

interface Outcome<T> {
  readonly value?: T;
  readonly problems: readonly Problem[];
}

type Host = Parsed["hosts"][number];
type Credentials = Pick<Host, "privateKey" | "privateKeyFile" | "privateKeyPassword">;

/** The connection of a host, with its private keys read. */
export function connectionOf(
  host: Host,
  index: number,
  environment: Environment,
): Outcome<HostConnection> {
  if (host.connection === "local") return { value: { kind: "local" }, problems: [] };
  const path = ["hosts", index];
  const target = endpointOf({ ...host, address: host.address ?? host.name }, path, environment);
  const bastion =
    host.bastion === undefined
      ? { problems: [] }
      : endpointOf(host.bastion, [...path, "bastion"], environment);
  const problems = [...target.problems, ...bastion.problems, ...staleAgent(path, environment)];
  if (problems.length > 0 || target.value === undefined) return { problems };
  return {
    value: {
      kind: "ssh",
      endpoint: target.value,
      ...(bastion.value === undefined ? {} : { bastion: bastion.value }),
      waitSeconds: host.waitSeconds,
    },
    problems: [],
  };
}

function endpointOf(
  fields: Credentials & {
    address: string;
    port: number;
    user: string;
    hostKey?: string | undefined;
  },
  path: readonly PropertyKey[],
  environment: Environment,
): Outcome<SshEndpoint> {
  const key = privateKeyOf(fields, path, environment);
  if (key.problems.length > 0) return { problems: key.problems };
  const { address, port, user } = fields;
  return {
    value: {
      address,
      port,
      user,
      ...(fields.hostKey === undefined ? {} : { hostKey: fields.hostKey.trim() }),
      ...(key.value === undefined ? {} : { privateKey: key.value }),
      ...(fields.privateKeyPassword === undefined
        ? {}
        : { privateKeyPassword: fields.privateKeyPassword }),
    },
    problems: [],
  };
}

function privateKeyOf(
  fields: Credentials,
  path: readonly PropertyKey[],
  environment: Environment,
): Outcome<SecretText> {
  const refuse = (key: string, message: string): Outcome<SecretText> => ({
    problems: [{ path: spellPath([...path, key]), message }],
  });
  let key = fields.privateKey;
  if (key === undefined && fields.privateKeyFile !== undefined) {
    try {
      key = new SecretText(environment.readFile(fields.privateKeyFile));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return refuse(
        "privateKeyFile",
        `${JSON.stringify(fields.privateKeyFile)} cannot be read (${code ?? String(error)}); accepted: the path of a private key file`,
      );
    }
  }
  if (key === undefined) {
    if (environment.agentSocket !== undefined) return { problems: [] };
    return refuse(
      "privateKeyFile",
      "missing, and no ssh-agent is running; accepted: privateKeyFile, privateKey as a secret, or an agent in SSH_AUTH_SOCK",
    );
  }
  const name = fields.privateKey === undefined ? "privateKeyFile" : "privateKey";
  switch (kindOfPrivateKey(key.reveal())) {
    case "none":
      return refuse(name, "is not a private key; accepted: an OpenSSH or PEM private key");
    case "sealed":
      return refuse(
        name,
        "is a PKCS#8 key locked by a password, which the command provider cannot unlock; accepted: an OpenSSH private key, with a password or without",
      );
    case "locked":
      if (fields.privateKeyPassword !== undefined) break;
      return refuse(
        "privateKeyPassword",
        "missing, and the private key is locked by one; accepted: the password, as a secret",
      );
    case "plain":
      if (fields.privateKeyPassword === undefined) break;
      // The command provider would unlock it, and fail: "ssh: not an encrypted key".
      return refuse(
        "privateKeyPassword",
        "given, but the private key is not locked; accepted: no password",
      );
  }
  return { value: key, problems: [] };
}

/**
 * The command provider dials SSH_AUTH_SOCK even where a private key is given, and fails if nobody
 * listens there (connection.go of pulumi-command 1.2.1); no input of a command turns that off.
 */
function staleAgent(path: readonly PropertyKey[], environment: Environment): Problem[] {
  const socket = environment.agentSocket;
  if (socket === undefined || environment.isListening(socket)) return [];
  return [
    {
      path: spellPath(path),
      message: `SSH_AUTH_SOCK names ${socket}, where no ssh-agent listens, and the command provider would fail on it; run 'unset SSH_AUTH_SOCK' (or start an agent) and try again`,
    },
  ];
}

function expandHome(path: string): string {
  return resolve(path.replace(/^~(?=\/|$)/, homedir()));
}
