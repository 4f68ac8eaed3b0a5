import type { Properties } from "../wire";
import {
  commandProvider,
  environmentOf,
  failureMessage,
  logPrinted,
  printed,
  text,
  type Printed,
} from "./command";
import { commandEnvironment, execute } from "./execute";
import type { StepContext } from "./provider";

/**
 * Runs a script on this machine.
 *
 * @throws Error in the provider's words when it fails
 */
export async function runLocally(
  script: string,
  inputs: Properties,
  previous: Printed,
  context: StepContext,
): Promise<Properties & Printed> {
  const interpreter = inputs["interpreter"];
  const words =
    Array.isArray(interpreter) && interpreter.length > 0
      ? interpreter.map(String)
      : ["/bin/sh", "-c"];
  const stdin = text(inputs, "stdin");
  const directory = text(inputs, "dir");
  const ended = await execute({
    program: words[0]!,
    arguments: [...words.slice(1), script],
    environment: { ...commandEnvironment(), ...environmentOf(inputs, previous) },
    ...(stdin === undefined || stdin === "" ? {} : { stdin }),
    ...(directory === undefined ? {} : { directory }),
    ...(context.timeout === undefined ? {} : { timeout: context.timeout }),
  });
  logPrinted(inputs, ended, context);
  if (ended.status !== 0) {
    const reason =
      ended.status === undefined
        ? `signal: ${ended.signal === "SIGKILL" ? "killed" : String(ended.signal)}`
        : `exit status ${ended.status}`;
    throw new Error(failureMessage(reason, script, ended));
  }
  return { ...printed(ended) };
}

/** `command:local:Command`. */
export const localCommand = commandProvider(
  runLocally,
  (inputs) =>
    ["assetPaths", "archivePaths"]
      .filter((name) => inputs[name] !== undefined)
      .map((name) => `the in-process engine does not know the input ${name}`),
  [],
);
