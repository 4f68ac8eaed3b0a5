import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { dialAgent, type Connection, type Endpoint } from "./connection";
import { commandEnvironment, execute, type Ended } from "./execute";
import { targetAlias, writeSshFiles } from "./sshFiles";

/** A command to run on another machine. */
export interface RemoteExecution {
  readonly connection: Connection;
  readonly command: string;
  readonly stdin?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Bounds dialling, not the command, in milliseconds. */
  readonly timeout?: number;
  /** Where files that `ssh` needs may lie for as long as it runs. */
  readonly workDirectory: string;
  readonly log: (line: string) => void;
}

/** How a remote command ended. */
export interface RemotelyEnded extends Ended {
  /** The connection broke while it ran: nobody knows how it ended, or whether it has. */
  readonly broken: boolean;
}

interface Attempt {
  readonly ended: Ended;
  /** Whether the command was begun. */
  readonly authenticated: boolean;
  /** Whether it failed on the way to the target already. */
  readonly stuckAtProxy: boolean;
  /** What `ssh` said. */
  readonly complaint: string;
}

const firstPause = 100;
const pauseGrowth = 1.5;
const longestPause = 5000;

/** Says in the provider's words why a connection did not come about. */
function dialError(complaint: string, { host, port }: Endpoint): string {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const reasons: readonly (readonly [RegExp, string])[] = [
    [/Connection refused/, `dial tcp ${address}: connect: connection refused`],
    [/No route to host/, `dial tcp ${address}: connect: no route to host`],
    [/Network is unreachable/, `dial tcp ${address}: connect: network is unreachable`],
    [/timed out/i, `dial tcp ${address}: i/o timeout`],
    [/Could not resolve hostname/, `dial tcp: lookup ${host}: no such host`],
    [/Host key verification failed/, "ssh: handshake failed: ssh: host key mismatch"],
    [/no matching host key type/, "ssh: handshake failed: ssh: no common algorithm for host key"],
    [
      /Permission denied/,
      "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], " +
        "no supported methods remain",
    ],
  ];
  const known = reasons.find(([pattern]) => pattern.test(complaint));
  return known?.[1] ?? `ssh: handshake failed: ${complaint.trim().split("\n").at(-1) ?? "EOF"}`;
}

async function attempt(execution: RemoteExecution): Promise<Attempt> {
  const { connection, environment } = execution;
  const files = writeSshFiles(connection, Object.keys(environment), execution.workDirectory);
  try {
    const ended = await execute({
      program: "ssh",
      arguments: [
        ...["-F", files.configuration, "-E", files.log, "-T"],
        ...[targetAlias, execution.command],
      ],
      environment: { ...commandEnvironment(), ...environment },
      ...(execution.stdin === undefined ? {} : { stdin: execution.stdin }),
    });
    const read = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
    const [log, proxyLog] = [read(files.log), read(files.proxyLog)];
    const success = /^Authenticated to /m;
    const authenticated = success.test(log);
    const stuckAtProxy = connection.proxy !== undefined && !success.test(proxyLog);
    const complaint = stuckAtProxy ? proxyLog : log;
    return { ended, authenticated, stuckAtProxy, complaint };
  } finally {
    rmSync(files.directory, { recursive: true, force: true });
  }
}

/**
 * Runs a command on another machine, dialling as often as the connection allows.
 *
 * @throws Error in the provider's words when no connection comes about
 */
export async function executeRemotely(execution: RemoteExecution): Promise<RemotelyEnded> {
  const { connection, timeout } = execution;
  for (const { agentSocket } of [connection, connection.proxy ?? connection]) {
    if (agentSocket !== undefined) {
      await dialAgent(agentSocket);
    }
  }
  const deadline = timeout === undefined ? Infinity : Date.now() + timeout;
  let pause = firstPause;
  for (let failures = 0; ; failures += 1) {
    const { ended, authenticated, stuckAtProxy, complaint } = await attempt(execution);
    if (authenticated) {
      const signs = /closed by remote host|Broken pipe|Connection reset|Timeout, server/;
      const broken = ended.status === 255 && signs.test(complaint + ended.stderr);
      return { ...ended, broken };
    }
    const endpoint = stuckAtProxy ? (connection.proxy ?? connection) : connection;
    const limit = endpoint.dialErrorLimit;
    const where = connection.proxy === undefined ? "" : "proxy: ";
    const reason = dialError(complaint, endpoint);
    if (limit >= 0 && failures >= limit) {
      throw new Error(`${where}after ${failures} failed attempts: ${reason}`);
    }
    if (Date.now() + pause >= deadline) {
      throw new Error(`${where}context deadline exceeded (${reason})`);
    }
    execution.log(`Dial ${failures + 1}/${limit < 0 ? "inf" : limit} failed: retrying`);
    await sleep(pause);
    pause = Math.min(pause * pauseGrowth, longestPause);
  }
}
