import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type Configuration, parseConfiguration } from "../../../config/configuration";
import type { Environment } from "../../../config/connection";
import type { ServerSettings } from "../../../render/serverSet";
import type { SiteArguments } from "../../../render/siteSet";

/** A host key of ed25519; its bytes are 0, 1, 2 … 31. */
export const HOST_KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

/** Keys are made from a seed when they are needed: no private key stands in this repository. */
export function seedOf(name: string): Buffer {
  return createHash("sha256").update(name).digest();
}

/** An Ed25519 private key as `tls.PrivateKey` writes it: PKCS#8 in PEM. */
export function pemOf(name: string): string {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seedOf(name)]),
    format: "der",
    type: "pkcs8",
  });
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** The 32 bytes of the public key that belongs to the seed of that name. */
export function publicBytesOf(name: string): Buffer {
  const { x } = createPublicKey(pemOf(name)).export({ format: "jwk" });
  return Buffer.from(x ?? "", "base64url");
}

export function nixSecretKey(name: string): string {
  return `${name}:${Buffer.concat([seedOf(name), publicBytesOf(name)]).toString("base64")}`;
}

export function nixPublicKey(name: string): string {
  return `${name}:${publicBytesOf(name).toString("base64")}`;
}

/** The private key that hosts are logged in to with. */
export const LOGIN_KEY = pemOf("login");

/** What the configuration may know of the machine: no agent, and every file is the login key. */
export function machine(changes: Partial<Environment> = {}): Environment {
  return {
    agentSocket: undefined,
    readFile: () => LOGIN_KEY,
    isListening: () => false,
    ...changes,
  };
}

/** A host as a user configures it. */
export const HOST = {
  name: "cachy.local",
  distribution: "debian",
  hostKey: HOST_KEY,
  privateKeyFile: "~/.ssh/id_ed25519",
} as const;

export const UPSTREAM = {
  url: "https://cache.nixos.org",
  publicKeys: ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
} as const;

type Input = Readonly<Record<string, unknown>>;

/** All problems of a configuration, `path: message` each; none if it is accepted. */
export function problemsOf(input: Input, environment: Environment = machine()): string[] {
  const { problems = [] } = parseConfiguration(input, environment);
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

/** The configuration of a single host with changes, which must be accepted. */
export function configurationOf(
  host: Input = {},
  stack: Input = {},
  environment: Environment = machine(),
): Configuration {
  return accepted({ hosts: [{ ...HOST, ...host }], ...stack }, environment);
}

export function accepted(input: Input, environment: Environment = machine()): Configuration {
  const result = parseConfiguration(input, environment);
  if (result.problems !== undefined) {
    throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  }
  return result.configuration;
}

/** The site of a host that serves its store by nix-serve, with changes. */
export function site(changes: Partial<SiteArguments> = {}): SiteArguments {
  return {
    server: "nix-serve",
    port: 5000,
    domain: "cachy.local",
    priority: 30,
    settings: siteSettings(),
    ...changes,
  };
}

/** The settings of a site as the configuration hands them on, defaults filled in. */
export function siteSettings(changes: Input = {}): SiteArguments["settings"] {
  const [host] = configurationOf({ site: changes }).hosts;
  if (host === undefined) throw new Error("there is no host");
  return host.site;
}

export function server(changes: Partial<ServerSettings> = {}): ServerSettings {
  return {
    server: "nix-serve",
    port: 5000,
    workers: 4,
    priority: 30,
    ...changes,
  };
}

/** A text of the product as a reviewer reads it, in `tests/unit/fixtures/`. */
export function fixture(name: string): string {
  return readFileSync(join(__dirname, "..", "fixtures", name), "utf8");
}
