import * as pulumi from "@pulumi/pulumi";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings";
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

/**
 * Runs the user's program against a deployment, to the end of everything that it registers. A
 * failure of the program is a failure of the deployment.
 */
export async function runProgram(
  request: RunRequest,
  deployment: Deployment,
  journal: Journal,
): Promise<void> {
  const errors = new Set<unknown>();
  // As under the CLI a program that throws goes on until nothing is left to do: what it had
  // registered is still brought about, and the run fails at its end.
  const crashed = (error: unknown): void => {
    if (errors.has(error)) {
      return;
    }
    errors.add(error);
    const text = pulumi.RunError.isInstance(error) ? error.message : inspect(error);
    journal.line(`error: Running program '${request.entry}' failed with an unhandled exception:`);
    journal.line(text);
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
}
