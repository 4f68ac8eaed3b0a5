import { randomBytes } from "node:crypto";

import type { PropertyPath } from "../propertyPath";
import { asText, type Properties, type Wire } from "../wire";
import type { Ended } from "./execute";
import type { Provider, StepContext } from "./provider";

/** Runs the script of a command resource and returns what it printed. */
export type RunScript = (
  script: string,
  inputs: Properties,
  previous: Printed,
  context: StepContext,
) => Promise<Properties & Printed>;

/** What a command printed, without the last newline. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Takes one newline off the end, as the command provider does. */
export function printed({ stdout, stderr }: Ended): Printed {
  return { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
}

/** The command provider's words for a command that failed. */
export function failureMessage(reason: string, script: string, ended: Ended): string {
  return `${reason}: running ${JSON.stringify(script)}:\n${ended.stdout}${ended.stderr}`;
}

/** A text input, absent when it is not a text. */
export function text(inputs: Properties, name: string): string | undefined {
  const value = inputs[name];
  return typeof value === "string" ? value : undefined;
}

/** The environment that a command's inputs ask for. */
export function environmentOf(inputs: Properties, previous: Printed): Record<string, string> {
  const asked = (inputs["environment"] ?? {}) as Record<string, Wire>;
  const environment = Object.fromEntries(
    Object.entries(asked).map(([name, value]) => [name, asText(value)]),
  );
  if (inputs["addPreviousOutputInEnv"] !== false) {
    if (previous.stdout !== "") {
      environment["PULUMI_COMMAND_STDOUT"] = previous.stdout;
    }
    if (previous.stderr !== "") {
      environment["PULUMI_COMMAND_STDERR"] = previous.stderr;
    }
  }
  return environment;
}

// The length of a line at which the log of the real command provider blocks for good.
const longestLine = 64 * 1024;

/**
 * Shows what a command printed, unless its `logging` says otherwise.
 *
 * @throws Error where the real provider would hang
 */
export function logPrinted(inputs: Properties, ended: Ended, context: StepContext): void {
  const logging = text(inputs, "logging") ?? "stdoutAndStderr";
  const shown =
    (logging.startsWith("stdout") ? ended.stdout : "") +
    (logging === "stderr" || logging === "stdoutAndStderr" ? ended.stderr : "");
  const lines = shown.split("\n").filter((line) => line !== "");
  if (lines.some((line) => Buffer.byteLength(line) >= longestLine)) {
    throw new Error(
      "a line of 64 KiB or more was printed, at which the real command provider hangs: " +
        "set logging to none",
    );
  }
  lines.forEach(context.log);
}

function previousOutput(outputs: Properties): Printed {
  return { stdout: text(outputs, "stdout") ?? "", stderr: text(outputs, "stderr") ?? "" };
}

const textInputs = ["create", "update", "delete", "stdin", "logging", "dir"];

/** What is wrong with inputs that both kinds of command share. */
function checkCommand(inputs: Properties): string[] {
  const failures = textInputs
    .filter((name) => inputs[name] !== undefined && typeof inputs[name] !== "string")
    .map((name) => `the input ${name} must be a string`);
  const { triggers } = inputs;
  return triggers === undefined || triggers === null || Array.isArray(triggers)
    ? failures
    : [...failures, "the input triggers must be an array"];
}

/** What local and remote commands have in common: which script runs when, and with what. */
export function commandProvider(
  run: RunScript,
  check: (inputs: Properties) => string[],
  secretOutputs: readonly string[],
): Provider {
  const nothing: Printed = { stdout: "", stderr: "" };
  return {
    secretOutputs,
    check: (inputs) => [...checkCommand(inputs), ...check(inputs)],
    // What is inside "triggers" is left to the option replaceOnChanges, which the SDK adds.
    replaces: (path: PropertyPath) => path.length === 1 && path[0] === "triggers",
    async create(inputs, context) {
      const script = text(inputs, "create");
      const outcome = script === undefined ? nothing : await run(script, inputs, nothing, context);
      return {
        id: `${context.name}${randomBytes(4).toString("hex")}`,
        outputs: { ...inputs, ...outcome },
      };
    },
    async update(inputs, outputs, context) {
      const script = text(inputs, "update") ?? text(inputs, "create");
      const previous = previousOutput(outputs);
      const outcome =
        script === undefined ? previous : await run(script, inputs, previous, context);
      return { ...inputs, ...outcome };
    },
    async delete(inputs, outputs, context) {
      const script = text(inputs, "delete");
      if (script !== undefined) {
        await run(script, inputs, previousOutput(outputs), context);
      }
    },
  };
}
