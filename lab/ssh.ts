import { createConnection } from "node:net";

import { runProgram, type ProgramResult } from "./programs";

/** Where and as whom to log in. */
export interface LoginOptions {
  readonly address: string;
  readonly user: string;
  readonly privateKeyFile: string;
  readonly knownHostsFile: string;
}

/** Parameters of ssh that depend on nothing this machine's user has set up. */
export function sshParameters(login: LoginOptions): readonly string[] {
  return [
    "-F",
    "none",
    "-i",
    login.privateKeyFile,
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "IdentityAgent=none",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    `UserKnownHostsFile=${login.knownHostsFile}`,
    "-o",
    "GlobalKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    // What this program prefers takes it longer than all the rest of logging in.
    "-o",
    "KexAlgorithms=curve25519-sha256",
    "-o",
    "ConnectTimeout=10",
    `${login.user}@${login.address}`,
  ];
}

/** Runs a command by a connection of its own. */
export function runOverSsh(
  login: LoginOptions,
  command: string,
  options: { readonly input?: string | undefined; readonly timeoutSeconds?: number | undefined },
): Promise<ProgramResult> {
  const parameters = ["-o", "BatchMode=yes", "-T", ...sshParameters(login), "--", command];
  return runProgram("ssh", parameters, options);
}

/** Waits until something that speaks ssh answers; false when it did not in time. */
export async function waitForSsh(
  address: string,
  timeoutSeconds: number,
  stillWorthIt: () => boolean,
): Promise<boolean> {
  const end = Date.now() + timeoutSeconds * 1000;
  while (Date.now() < end && stillWorthIt()) {
    if (await speaksSsh(address)) {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function speaksSsh(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // Until the machine has its address, connecting neither works nor fails.
    socket.setTimeout(300, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("data", (data) => finish(data.toString("latin1").startsWith("SSH-")));
    socket.on("close", () => finish(false));
  });
}
