import { readFileSync, rmSync, writeSync } from "node:fs";

import { Cancellation } from "./cancellation";
import { deleteAll } from "./deletions";
import { Deployment } from "./deployment";
import { transitiveDependencies } from "./graph";
import { Journal } from "./journal";
import { lock } from "./lock";
import { reportDescriptor, type RunReport, type RunRequest } from "./messages";
import { makeRegistry, type ProviderRegistry } from "./providers/registry";
import { State } from "./state";
import { Steps } from "./steps";
import { stackType } from "./urn";
import { plainProperties } from "./wire";

async function destroy(
  request: RunRequest,
  state: State,
  registry: ProviderRegistry,
  journal: Journal,
): Promise<boolean> {
  const shielded = state.resources.filter(({ options }) => options.protect);
  const kept = new Set(
    request.excludeProtected
      ? [...shielded, ...transitiveDependencies(shielded, state.resources)]
      : [],
  );
  const cancellation = new Cancellation();
  const steps = new Steps(state, registry, journal, false, cancellation);
  const condemned = state.resources.filter((resource) => !kept.has(resource));
  return deleteAll(condemned, { state, steps, journal, cancellation, deleted: new Set() });
}

async function run(
  request: RunRequest,
  state: State,
  registry: ProviderRegistry,
  journal: Journal,
): Promise<boolean> {
  if (request.operation === "destroy") {
    return destroy(request, state, registry, journal);
  }
  const { stack, project, operation } = request;
  const preview = operation === "preview";
  const context = { state, registry, journal, stack, project, preview };
  const deployment = new Deployment(context);
  // Loading the SDK takes most of a run's time, and a destruction does without.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { runProgram } = require("./program") as typeof import("./program");
  const complete = await runProgram(request, deployment, journal);
  await deployment.finish();
  return complete && !deployment.failed;
}

function warnOfPending(state: State, journal: Journal): void {
  for (const { urn, operation } of state.pendingOperations) {
    journal.line(`warning: a former run was interrupted while ${operation} ${urn}`);
  }
}

function describeStack({ resources }: State): Pick<RunReport, "resources" | "outputs"> {
  const counted = resources.filter(
    ({ type, pendingDelete }) =>
      !type.startsWith("pulumi:providers:") && pendingDelete === undefined,
  );
  const stack = resources.find(({ type }) => type === stackType);
  return { resources: counted.length, outputs: plainProperties(stack?.outputs ?? {}) };
}

async function main(request: RunRequest): Promise<void> {
  const started = Date.now();
  const preview = request.operation === "preview";
  const journal = new Journal(preview);
  journal.line(
    `In-process engine, ${request.operation} of ${request.stack}. This is a test instrument of ` +
      "the lab and not Pulumi; it refuses hosts outside the lab.",
  );
  process.chdir(request.program);
  let unlock: () => void = () => undefined;
  let report: RunReport = { succeeded: false, changes: [], resources: 0, outputs: {} };
  try {
    // As with the real engine a preview neither waits for a lock nor takes one.
    unlock = preview ? unlock : lock(request.lockFile);
    const state = new State(request.stateFile, request.passphrase, !preview);
    warnOfPending(state, journal);
    const registry = makeRegistry(request.allowedHosts, request.workDirectory);
    const before = describeStack(state);
    const succeeded = await run(request, state, registry, journal);
    journal.summary((Date.now() - started) / 1000);
    // A preview tells of the stack as it is, whatever it foretells.
    const stack = preview ? before : describeStack(state);
    report = { succeeded, changes: journal.changes, ...stack };
  } catch (error) {
    journal.line(`error: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    rmSync(request.workDirectory, { recursive: true, force: true });
    unlock();
  }
  writeSync(reportDescriptor, JSON.stringify(report));
  process.exit(report.succeeded ? 0 : 1);
}

void main(JSON.parse(readFileSync(0, "utf8")) as RunRequest);
