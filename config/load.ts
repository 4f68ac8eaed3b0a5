import * as pulumi from "@pulumi/pulumi";

import { type Configuration, parseConfiguration } from "./configuration";
import { type Environment, machineEnvironment } from "./connection";
import { schema } from "./schema";

/**
 * The stack's configuration. Throws one error that lists all problems, before any resource exists.
 */
export function loadConfiguration(environment: Environment = machineEnvironment): Configuration {
  const namespace = new pulumi.Config().name;
  const result = parseConfiguration(readValues(namespace), environment);
  if (result.problems === undefined) return result.configuration;
  const lines = result.problems.map(({ path, message }) => `  ${namespace}:${path}: ${message}`);
  const count = lines.length === 1 ? "a problem" : `${lines.length} problems`;
  throw new pulumi.RunError(
    [
      `The configuration of stack ${pulumi.getStack()} has ${count}; nothing was changed:`,
      ...lines,
    ].join("\n"),
  );
}

/**
 * All values of the namespace, also those whose key nobody knows: the engine lets typing errors
 * pass. Values are read below `Config`, which warns of secrets; here they are wrapped on parsing.
 */
function readValues(namespace: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!key.startsWith(`${namespace}:`)) continue;
    const name = key.slice(namespace.length + 1);
    values[name] = isMeantAsText(name, text) ? text : parseJson(text);
  }
  return values;
}

/** Scalars reach a program as they are, everything else as JSON. */
function isMeantAsText(key: string, text: string): boolean {
  return Object.hasOwn(schema.shape, key)
    ? schema.shape[key as keyof typeof schema.shape].safeParse(text).success
    : false;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
