import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import type { HostConnection, SshEndpoint } from "../../config/connection";

type SshConnection = Extract<HostConnection, { kind: "ssh" }>;

/** How long one attempt may take to connect, in seconds. */
const DIAL_SECONDS = 5;

/**
 * Attempts of the command provider: the first ten take about 11 s, each further one 5 s and, where
 * the host does not even refuse, the time to connect.
 */
export function attemptsWithin(seconds: number): number {
  return 10 + Math.max(0, Math.ceil((seconds - 11) / (5 + DIAL_SECONDS)));
}

/**
 * The connection in the provider's form. It has been checked with the configuration: the engine
 * prints one that the provider refuses, private key and all.
 */
export function connectionArguments(
  connection: SshConnection,
  hostKey: pulumi.Input<string>,
): types.input.remote.ConnectionArgs {
  const { endpoint, bastion, waitSeconds } = connection;
  // Every step waits: where nothing but one of them changes, it is the first to find the host down.
  const attempts = attemptsWithin(waitSeconds);
  return {
    ...endpointArguments(endpoint, attempts),
    hostKey,
    ...(bastion === undefined
      ? {}
      : { proxy: { ...endpointArguments(bastion, attempts), hostKey: bastion.hostKey ?? "" } }),
  };
}

function endpointArguments(
  { address, port, user, privateKey, privateKeyPassword }: SshEndpoint,
  dialErrorLimit: number,
): Omit<types.input.remote.ConnectionArgs, "proxy"> & types.input.remote.ProxyConnectionArgs {
  return {
    host: address,
    port,
    user,
    dialErrorLimit,
    perDialTimeout: DIAL_SECONDS,
    ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey.reveal()) }),
    ...(privateKeyPassword === undefined
      ? {}
      : { privateKeyPassword: pulumi.secret(privateKeyPassword.reveal()) }),
  };
}
