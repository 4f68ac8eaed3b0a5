import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

import type { StackConfiguration } from "./contract";

/** A configuration key that the project declares. */
interface Declaration {
  readonly type?: string;
  readonly secret?: boolean;
  readonly hasDefault: boolean;
  readonly fallback: unknown;
}

/** What `Pulumi.yaml` says. */
export interface Project {
  readonly name: string;
  /** The program's main file. */
  readonly entry: string;
  readonly declarations: ReadonlyMap<string, Declaration>;
}

interface ProjectFile {
  readonly name: string;
  readonly main?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

function readDeclaration(value: unknown): Declaration {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { hasDefault: true, fallback: value };
  }
  const entry = value as Record<string, unknown>;
  const fallback = entry["default"] ?? entry["value"];
  return {
    ...(typeof entry["type"] === "string" ? { type: entry["type"] } : {}),
    secret: entry["secret"] === true,
    hasDefault: fallback !== undefined,
    fallback,
  };
}

/** Reads the `Pulumi.yaml` of a program. */
export function readProject(program: string): Project {
  const file = parse(readFileSync(path.join(program, "Pulumi.yaml"), "utf8")) as ProjectFile;
  const declarations = Object.entries(file.config ?? {}).map(
    ([key, value]) =>
      [key.includes(":") ? key : `${file.name}:${key}`, readDeclaration(value)] as const,
  );
  const main = file.main ?? "index.ts";
  return {
    name: file.name,
    entry: path.join(program, /\.\w+$/.test(main) ? main : path.join(main, "index.ts")),
    declarations: new Map(declarations),
  };
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value));
    case "boolean":
      return typeof value === "boolean" || value === "true" || value === "false";
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return ["string", "number", "boolean"].includes(typeof value);
  }
}

/** The keys of a configuration that hold a secret, without what comes below them. */
export function topLevelSecretKeys({ secretKeys }: StackConfiguration): Set<string> {
  return new Set((secretKeys ?? []).map((key) => /^[^.[]+/.exec(key)?.[0] ?? key));
}

function missing(keys: readonly string[], stack: string): Error {
  const names = keys.map((key) => `'${key.replace(/^[^:]*:/, "")}'`);
  const last = names.pop();
  const list = names.length === 0 ? last : `${names.join(", ")} and ${last}`;
  const values = names.length === 0 ? "value" : "values";
  return new Error(`Stack '${stack}' is missing configuration ${values} ${list}`);
}

// The CLI is written in Go, whose maps come out sorted; a program may depend on the order.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([key, child]) => [key, sorted(child)]),
      )
    : value;
}

function asText(value: unknown): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(sorted(value))
    : String(value);
}

/**
 * The configuration as the CLI hands it to a program: defaults filled in, declared types checked,
 * every value a text.
 *
 * @throws Error in the CLI's words when a value is missing or of the wrong type
 */
export function resolveConfiguration(
  project: Project,
  stack: string,
  configuration: StackConfiguration,
): Record<string, string> {
  const secret = topLevelSecretKeys(configuration);
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(configuration.values)) {
    if (value !== undefined) {
      values.set(`${project.name}:${key}`, value);
    }
  }
  const absent: string[] = [];
  for (const [key, declaration] of project.declarations) {
    const given = values.get(key);
    const bare = key.replace(/^[^:]*:/, "");
    if (given === undefined) {
      if (declaration.hasDefault) {
        values.set(key, declaration.fallback);
      } else {
        absent.push(key);
      }
    } else if (declaration.type !== undefined && !hasType(given, declaration.type)) {
      throw new Error(
        `Stack '${stack}' with configuration key '${bare}' must be of type '${declaration.type}'`,
      );
    } else if (declaration.secret === true && !secret.has(bare)) {
      throw new Error(
        `Stack '${stack}' with configuration key '${bare}' must be encrypted as it's secret`,
      );
    }
  }
  if (absent.length > 0) {
    throw missing(absent, stack);
  }
  return Object.fromEntries([...values].map(([key, value]) => [key, asText(value)]));
}
