import { z } from "zod";

import { SecretText } from "./secretText";
import {
  HOST_NAME,
  isDomainName,
  KEY_NAME,
  kindOfPrivateKey,
  parseHostKey,
  parseNixKey,
  secretKeyIsConsistent,
} from "./values";

/** Distributions by family: what `distribution` accepts, and whose package manager it means. */
export const DISTRIBUTIONS = {
  arch: ["arch", "cachyos", "endeavouros", "garuda", "manjaro"],
  debian: ["debian", "ubuntu", "linuxmint", "pop", "raspbian"],
} as const;

export const SERVERS = ["nix-serve", "nix-serve-ng", "harmonia", "none"] as const;

/** Keys whose values no message may show. */
export const SECRET_KEYS: ReadonlySet<string> = new Set([
  "privateKey",
  "privateKeyPassword",
  "secretKey",
]);

export const DEFAULT_NIXPKGS = "github:NixOS/nixpkgs/nixos-26.05";

const text = (accepted: string, accepts: (value: string) => boolean) =>
  z.string({ error: accepted }).refine(accepts, { error: accepted });
const pattern = (accepted: string, expression: RegExp) =>
  text(accepted, (value) => expression.test(value));
const whole = (accepted: string, least: number, most: number) =>
  z
    .number({ error: accepted })
    .int({ error: accepted })
    .min(least, { error: accepted })
    .max(most, { error: accepted });
const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: values.join(", ") });
const flag = () => z.boolean({ error: "true or false" });
const secret = (accepted: string, accepts: (value: string) => boolean) =>
  text(accepted, accepts).transform((value) => new SecretText(value));

const PORT = "a port number from 1 to 65535";
const port = () => whole(PORT, 1, 65535);
const address = () =>
  pattern(
    "a DNS name or an IP address",
    /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+)$/,
  );
const user = () => pattern("the name of an account", /^[a-z_][a-z0-9_-]*\$?$/);
const hostKey = () =>
  text(
    "the host's ed25519 or ecdsa public key as in /etc/ssh/ssh_host_ed25519_key.pub (RSA cannot work: the command provider offers only ssh-rsa with SHA-1, which current sshd refuses)",
    (value) =>
      /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521))$/.test(parseHostKey(value)?.type ?? ""),
  );
const domain = () => text("a DNS name in lower case, such as cachy.local", isDomainName);
const flakeReference = () =>
  pattern(
    `a flake reference without '#' and quotes, such as ${DEFAULT_NIXPKGS} or github:NixOS/nixpkgs/REVISION`,
    /^[a-z][a-z0-9+.-]*:[A-Za-z0-9_.~/?&=%:@+-]+$|^nixpkgs$/,
  );
const keyName = () =>
  pattern("a name of letters, digits, '.', '_' and '-', such as cachy.local-1", KEY_NAME);

const credentials = {
  privateKey: secret(
    "a private key in OpenSSH or PEM format, as a secret",
    (value) => kindOfPrivateKey(value) !== "none",
  ).optional(),
  privateKeyFile: pattern("the path of a private key file", /./).optional(),
  privateKeyPassword: secret("a password, as a secret", (value) => value !== "").optional(),
};

const bastion = z.strictObject(
  {
    address: address(),
    port: port().default(22),
    user: user().default("root"),
    hostKey: hostKey(),
    ...credentials,
  },
  { error: "address, hostKey and, as needed, port, user and a private key" },
);

const site = z.strictObject(
  {
    serverNames: z.array(domain(), { error: "a list of DNS names" }).default([]),
    publishedStore: pattern(
      "an absolute path without blanks or '..'",
      /^(?!.*(^|\/)\.\.?(\/|$))\/[A-Za-z0-9_.+/-]*[A-Za-z0-9_.+-]$/,
    ).default("/srv/nix-binary-cache"),
    narinfoSeconds: whole("seconds from 0 to 86400", 0, 86400).default(300),
    narDays: whole("days from 1 to 3650", 1, 3650).default(30),
    narGigabytes: whole("gigabytes from 1 to 100000", 1, 100000).default(20),
    ipv6: flag().default(true),
    workerConnections: whole("a number from 512 to 1000000", 512, 1000000).default(4096),
  },
  { error: "settings of the nginx site" },
);

const host = z.strictObject(
  {
    name: pattern(
      "a name of lower-case letters, digits, '.' and '-', such as cachy.local",
      HOST_NAME,
    ),
    distribution: choice([...DISTRIBUTIONS.arch, ...DISTRIBUTIONS.debian]),
    connection: choice(["ssh", "local"]).default("ssh"),
    address: address().optional(),
    port: port().default(22),
    user: user().default("root"),
    hostKey: hostKey().optional(),
    trustOnFirstUse: flag().default(false),
    ...credentials,
    bastion: bastion.optional(),
    waitSeconds: whole("seconds from 1 to 3600", 1, 3600).default(120),
    domain: domain().optional(),
    server: choice(SERVERS).default("nix-serve"),
    serverPort: whole("a port number from 1024 to 65535", 1024, 65535).default(5000),
    workers: whole("a number from 1 to 256", 1, 256).optional(),
    nixpkgs: flakeReference().optional(),
    site: site.prefault({}),
    adopt: flag().default(false),
    lost: flag().default(false),
    run: whole("a number from 1 up", 1, 1_000_000).default(1),
  },
  { error: "an object with at least name, distribution and hostKey" },
);

const SECRET_KEY =
  "a Nix secret key, NAME:BASE64 of 64 bytes, as 'nix-store --generate-binary-cache-key' writes it";

const signingKey = z.strictObject(
  {
    name: keyName(),
    secretKey: secret(SECRET_KEY, (value) => {
      const key = parseNixKey(value, 64);
      return key !== undefined && secretKeyIsConsistent(key.bytes);
    }).optional(),
  },
  { error: "an object with a name and, for an imported key, a secretKey" },
);

const PUBLIC_KEY = "public keys in Nix's format, NAME:BASE64 of 32 bytes; at least one";

const upstream = z.strictObject(
  {
    url: pattern("an http or https URL", /^https?:\/\/[A-Za-z0-9.:[\]_-]+(\/[A-Za-z0-9._~%/-]*)?$/),
    publicKeys: z
      .array(
        text(PUBLIC_KEY, (value) => parseNixKey(value, 32) !== undefined),
        { error: PUBLIC_KEY },
      )
      .min(1, { error: PUBLIC_KEY }),
    priority: whole("a number from 0 to 1000; lower is asked first", 0, 1000).optional(),
  },
  { error: "an object with url and publicKeys" },
);

const client = z.strictObject(
  { name: pattern("the name of a nixosConfigurations entry", /^[A-Za-z0-9_.-]+$/) },
  { error: "an object with a name" },
);

const clientSettings = z.strictObject(
  {
    connectTimeout: whole("seconds from 1 to 300", 1, 300).default(5),
    stalledDownloadTimeout: whole("seconds from 1 to 3600", 1, 3600).default(30),
    fallback: flag().default(true),
  },
  { error: "settings of the client module" },
);

/** The whole configuration of a stack, without its namespace. */
export const schema = z.strictObject({
  hosts: z
    .array(host, { error: "a list of cache hosts; at least one" })
    .min(1, { error: "a list of cache hosts; at least one" }),
  signingKeys: z.array(signingKey, { error: "a list of signing keys" }).default([]),
  signWith: pattern(
    "the name of a signing key, or nothing for the first",
    /^[A-Za-z0-9._-]*$/,
  ).default(""),
  nixpkgs: flakeReference().default(DEFAULT_NIXPKGS),
  priority: whole("a number from 0 to 1000; lower is asked first", 0, 1000).default(30),
  upstreams: z.array(upstream, { error: "a list of upstream caches" }).default([]),
  clients: z.array(client, { error: "a list of clients" }).default([]),
  client: clientSettings.prefault({}),
});

export type Parsed = z.output<typeof schema>;
