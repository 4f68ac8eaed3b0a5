import type { z } from "zod";

import { SECRET_KEYS } from "./schema";

/** Something the configuration has wrong: where, and a sentence with what is accepted. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

type Path = readonly PropertyKey[];

/** `hosts[0].bastion.port`, the spelling of `pulumi config set --path`. */
export function spellPath(path: Path): string {
  return path.reduce<string>((spelled, part) => {
    if (typeof part === "number") return `${spelled}[${part}]`;
    return spelled === "" ? String(part) : `${spelled}.${String(part)}`;
  }, "");
}

/** The problems that the schema found, with the values that are no secrets. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], input: unknown): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: spellPath([...issue.path, key]),
        message: "unknown key; look for a typing error, docs/configuration.md lists all keys",
      }));
    }
    const value = valueAt(input, issue.path);
    const shown = showValue(issue.path, value);
    return [{ path: spellPath(issue.path), message: `${shown}; accepted: ${issue.message}` }];
  });
}

/** A value as a message may show it: short, and never a secret. */
export function showValue(path: Path, value: unknown): string {
  if (value === undefined) return "missing";
  if (path.some((part) => SECRET_KEYS.has(String(part)))) return "[secret] is not valid";
  const shown = typeof value === "string" ? value.replace(/\/\/[^/@]*@/g, "//[secret]@") : value;
  const spelled = JSON.stringify(shown, (key, inner: unknown) =>
    SECRET_KEYS.has(key) || (typeof inner === "string" && looksSecret(inner)) ? "[secret]" : inner,
  );
  const short = spelled.length > 120 ? `${spelled.slice(0, 117)}...` : spelled;
  return `${short} is not valid`;
}

/** A private key or a Nix secret key, wherever it was put by mistake. */
function looksSecret(text: string): boolean {
  return text.includes("PRIVATE KEY") || /:[A-Za-z0-9+/]{86}==/.test(text);
}

export function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    input,
  );
}
