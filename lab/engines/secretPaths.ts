import type { StackConfiguration } from "./contract";
import { parsePropertyPath, type PropertyPath } from "./inprocess/propertyPath";

/** Where a secret text sits in a configuration, and what it is. */
export interface SecretText {
  readonly path: PropertyPath;
  readonly text: string;
}

function lookUp(value: unknown, path: PropertyPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

function texts(value: unknown, path: PropertyPath): SecretText[] {
  if (typeof value === "object" && value !== null) {
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? value.map((child: unknown, index) => [index, child])
      : Object.entries(value);
    return entries.flatMap(([part, child]) => texts(child, [...path, part]));
  }
  return value === undefined || value === null
    ? []
    : [{ path, text: typeof value === "string" ? value : JSON.stringify(value) }];
}

/** Every secret text of a configuration. */
export function secretTexts({ values, secretKeys }: StackConfiguration): SecretText[] {
  return (secretKeys ?? []).flatMap((key) => {
    // A key may contain what looks like a path; as it stands it comes first.
    const path = Object.hasOwn(values, key) ? [key] : parsePropertyPath(key);
    return texts(lookUp(values, path), path);
  });
}

// The CLI leaves very short secrets alone as well: they would blot out half of every line.
const shortestMasked = 3;

/** Hides the configuration's secrets in a text, as the CLI does in all that it prints. */
export function maskSecrets(configuration: StackConfiguration, text: string): string {
  return secretTexts(configuration)
    .flatMap((secret) => [secret.text, JSON.stringify(secret.text).slice(1, -1)])
    .filter((secret) => secret.length >= shortestMasked)
    .sort((one, other) => other.length - one.length)
    .reduce((masked, secret) => masked.replaceAll(secret, "[secret]"), text);
}
