import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import type { HostConnection } from "../../config/connection";
import { shellCommand } from "../../render/shell";

const ASK_HOST_KEY = join(__dirname, "ask-host-key");

/**
 * The key that the host must show: the configured one or, with `trustOnFirstUse`, the one it
 * showed first. That one is kept in the state and asked for never again; to accept another, give
 * it as `hostKey`, or replace this resource.
 */
export function pinnedHostKey(
  name: string,
  { endpoint, waitSeconds }: Extract<HostConnection, { kind: "ssh" }>,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  if (endpoint.hostKey !== undefined) return pulumi.output(endpoint.hostKey);
  const asked = new command.local.Command(
    `${name}-host-key`,
    {
      create: shellCommand(["bash", "-s", "--", endpoint.address, endpoint.port, waitSeconds]),
      stdin: readFileSync(ASK_HOST_KEY, "utf8"),
      logging: "none",
      addPreviousOutputInEnv: false,
    },
    // Whatever changes in the question, the first answer stands.
    pulumi.mergeOptions(options, { ignoreChanges: ["create", "stdin"] }),
  );
  return asked.stdout;
}
