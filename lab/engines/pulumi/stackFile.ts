import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { stringify } from "yaml";

import type { StackConfiguration } from "../contract";
import type { PropertyPath } from "../inprocess/propertyPath";
import { secretTexts } from "../secretPaths";

const iterations = 1_000_000;

/** Encrypts configuration values as the CLI's passphrase provider does. */
export class StackFileWriter {
  #key: Buffer | undefined;

  /** @param salt what the CLI wrote as `encryptionsalt` when it made the stack */
  constructor(
    private readonly passphrase: string,
    private readonly salt: string,
  ) {}

  /** The content of a stack's configuration file. */
  write(project: string, configuration: StackConfiguration): string {
    const values = structuredClone(configuration.values) as Record<string, unknown>;
    for (const { path, text } of secretTexts(configuration)) {
      place(values, path, { secure: this.#encrypt(text) });
    }
    const config = Object.fromEntries(
      Object.entries(values)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [`${project}:${key}`, value]),
    );
    // Quoted, because what YAML takes for a number or a truth differs between its versions.
    return stringify(
      { encryptionsalt: this.salt, config },
      { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE", lineWidth: 0 },
    );
  }

  #encrypt(text: string): string {
    const salt = Buffer.from(this.salt.split(":")[1] ?? "", "base64");
    this.#key ??= pbkdf2Sync(this.passphrase, salt, iterations, 32, "sha256");
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const body = [cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return `v1:${nonce.toString("base64")}:${Buffer.concat(body).toString("base64")}`;
  }
}

function place(values: Record<string, unknown>, path: PropertyPath, value: unknown): void {
  const inner = path
    .slice(0, -1)
    .reduce<unknown>((outer, part) => (outer as Record<string | number, unknown>)[part], values);
  (inner as Record<string | number, unknown>)[path.at(-1)!] = value;
}
