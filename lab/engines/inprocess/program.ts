import * as pulumi from "@pulumi/pulumi";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings";
import * as sdkState from "@pulumi/pulumi/runtime/state";
import { inspect } from "node:util";

import type { Deployment } from "./deployment";
import type { Journal } from "./journal";
import type { RunRequest } from "./messages";
import { Monitor } from "./monitor";

/** Waits until nothing is left to do in this process: the program and all it began have ended. */
async function eventLoopEmpty(): Promise<void> {
  await new Promise<void>((resolve) => process.once("beforeExit", () => resolve()));
}

async function loadProgram(entry: string): Promise<unknown> {
  // The program is loaded as the Node.js language host does it, so it may export a function.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const exported = require(entry) as unknown;
  return typeof exported === "function" ? await (exported as () => unknown)() : exported;
}

/** A part of the SDK that its type declarations leave out. */
interface PendingRegistrations {
  getPendingResourceRegistrations(): ReadonlyMap<unknown, { readonly label: string }>;
}

/** Resources that the program constructed and that wait for something which never comes. */
function reportUnregistered(journal: Journal): boolean {
  const sdk = sdkState as unknown as PendingRegistrations;
  const waiting = [...sdk.getPendingResourceRegistrations().values()];
  if (waiting.length > 0) {
    journal.line("error: The Pulumi runtime detected that the program exited before the following");
    journal.line("resource registrations could complete:");
    waiting.forEach(({ label }) => journal.line(`  * ${label}`));
  }
  return waiting.length > 0;
}

/**
 * Runs the user's program against a deployment, to the end of everything that it registers. A
 * failure of the program is a failure of the deployment.
 *
 * @returns whether the program registered all that it constructed. Where it did not, as in a circle
 * of dependencies, the real engine deletes what was not registered, and fails only then.
 */
export async function runProgram(
  request: RunRequest,
  deployment: Deployment,
  journal: Journal,
): Promise<boolean> {
  const errors = new Set<unknown>();
  // As under the CLI a program that throws goes on until nothing is left to do: what it had
  // registered is still brought about, and the run fails at its end.
  const crashed = (error: unknown): void => {
    if (errors.has(error)) {
      return;
    }
    errors.add(error);
    journal.line(
      pulumi.RunError.isInstance(error)
        ? `error: ${error.message}`
        : `error: Running program '${request.entry}' failed with an unhandled exception:\n${inspect(error)}`,
    );
  };
  process.on("uncaughtException", crashed);
  process.on("unhandledRejection", crashed);
  const { project, stack, operation } = request;
  const monitor = new Monitor(deployment, journal);
  setMockOptions(monitor, project, stack, operation === "preview", "organization");
  pulumi.runtime
    .runInPulumiStack(() => loadProgram(request.entry) as Promise<never>)
    .catch(crashed);
  await Promise.race([eventLoopEmpty(), deployment.failure]);
  if (errors.size > 0 || pulumi.log.hasErrors()) {
    deployment.fail();
  }
  return deployment.failed || !reportUnregistered(journal);
}
