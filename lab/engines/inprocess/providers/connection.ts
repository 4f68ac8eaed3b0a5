import { createPrivateKey } from "node:crypto";
import { connect } from "node:net";

import { asText, isObject, unknownValue, type Properties, type Wire } from "../wire";
import { privateKeyFile } from "./opensshKey";

/** One ssh server and how to log in to it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** An OpenSSH private key file. */
  readonly privateKey?: string;
  readonly agentSocket?: string;
  readonly hostKey?: HostKey;
  /** Further attempts after a failed one; -1 for as many as it takes. */
  readonly dialErrorLimit: number;
  /** In seconds; 0 for no limit. */
  readonly perDialTimeout: number;
}

/** The key by which a server is known. */
export interface HostKey {
  readonly type: string;
  readonly base64: string;
}

/** A server, and the one through which it is reached. */
export interface Connection extends Endpoint {
  readonly proxy?: Endpoint;
}

const keyTypes = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/;

/**
 * Reads a pinned host key; as in the provider a host name may stand before it.
 *
 * @throws Error when it is none, or of the kind that the provider cannot use
 */
export function parseHostKey(text: string): HostKey {
  const words = (text.split("\n")[0] ?? "").trim().split(/\s+/);
  const at = words.findIndex((word) => keyTypes.test(word));
  const [type, base64] = at < 0 ? [] : words.slice(at);
  if (type === undefined || base64 === undefined) {
    throw new Error("failed to parse host key: ssh: no key found");
  }
  if (type === "ssh-rsa") {
    throw new Error(
      "ssh: handshake failed: ssh: no common algorithm for host key; we offered: [ssh-rsa] " +
        "(the command provider cannot verify RSA host keys: pin an ed25519 or ecdsa one)",
    );
  }
  return { type, base64 };
}

/** Brings a private key into the form that every `ssh` reads. */
function readPrivateKey(key: string, password: string | undefined): string {
  if (key.includes("BEGIN OPENSSH PRIVATE KEY")) {
    if (password !== undefined) {
      throw new Error("the in-process engine does not know encrypted keys in OpenSSH's format");
    }
    return `${key.trimEnd()}\n`;
  }
  try {
    return privateKeyFile(
      createPrivateKey({ key, ...(password === undefined ? {} : { passphrase: password }) }),
    );
  } catch {
    // The cause is left out on purpose: it must not quote the key.
    throw new Error("ssh: no key found: privateKey is not a private key this engine can read");
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function checkEndpoint(value: Wire, label: string, allowed: readonly string[]): string[] {
  if (!isObject(value)) {
    return [`${label} must be an object`];
  }
  const { host, port } = value;
  const wrong = ["user", "privateKey", "hostKey", "privateKeyPassword", "agentSocketPath"]
    .filter((name) => value[name] !== undefined && typeof value[name] !== "string")
    .map((name) => `${label}.${name} must be a string`);
  if (typeof host !== "string" || host === "") {
    wrong.push(`${label}.host must be a string that is not empty`);
  } else if (host !== unknownValue && !isLoopback(host) && !allowed.includes(host)) {
    wrong.push(
      `the in-process engine is a test instrument and logs in to lab hosts only; ${host} is none`,
    );
  }
  if (port !== undefined && port !== unknownValue && typeof port !== "number") {
    wrong.push(`${label}.port must be a number`);
  }
  if (value["password"] !== undefined) {
    wrong.push(`the in-process engine does not know ${label}.password: use privateKey`);
  }
  return wrong;
}

/** What is wrong with the `connection` of a command, with no word of the keys in it. */
export function checkConnection(inputs: Properties, allowed: readonly string[]): string[] {
  const connection = inputs["connection"];
  if (connection === undefined || connection === null) {
    return ["the input connection is required"];
  }
  if (connection === unknownValue) {
    return [];
  }
  const proxy = isObject(connection) ? connection["proxy"] : undefined;
  return [
    ...checkEndpoint(connection, "connection", allowed),
    ...(proxy === undefined || proxy === null || proxy === unknownValue
      ? []
      : checkEndpoint(proxy, "connection.proxy", allowed)),
  ];
}

function readEndpoint(value: { [key: string]: Wire }): Endpoint {
  const text = (name: string): string | undefined =>
    typeof value[name] === "string" ? value[name] : undefined;
  const key = text("privateKey");
  const hostKey = text("hostKey");
  // The provider asks the agent whenever there is one, so a dead one hurts even where a key is set.
  const agentSocket = text("agentSocketPath") ?? process.env["SSH_AUTH_SOCK"];
  return {
    host: asText(value["host"]),
    port: Number(value["port"] ?? 22),
    user: text("user") ?? "root",
    dialErrorLimit: Number(value["dialErrorLimit"] ?? 10),
    perDialTimeout: Number(value["perDialTimeout"] ?? 15),
    ...(key === undefined ? {} : { privateKey: readPrivateKey(key, text("privateKeyPassword")) }),
    ...(agentSocket === undefined || agentSocket === "" ? {} : { agentSocket }),
    ...(hostKey === undefined ? {} : { hostKey: parseHostKey(hostKey) }),
  };
}

/** Reads the `connection` of a command that {@link checkConnection} found right. */
export function readConnection(inputs: Properties): Connection {
  const value = inputs["connection"] as { [key: string]: Wire };
  const proxy = value["proxy"];
  return { ...readEndpoint(value), ...(isObject(proxy) ? { proxy: readEndpoint(proxy) } : {}) };
}

/**
 * Finds out whether there is an agent behind a socket.
 *
 * @throws Error in the provider's words when there is none
 */
export async function dialAgent(socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const connection = connect({ path: socket });
    connection.once("connect", () => {
      connection.end();
      resolve();
    });
    connection.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "ENOENT" ? "no such file or directory" : "connection refused";
      reject(new Error(`dial unix ${socket}: connect: ${reason}`));
    });
  });
}
