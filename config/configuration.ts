import { connectionOf, type Environment, type HostConnection } from "./connection";
import { type Problem, problemsOf } from "./problems";
import { crossFieldProblems } from "./rules";
import { DISTRIBUTIONS, type Parsed, schema, type SERVERS } from "./schema";
import type { SecretText } from "./secretText";

/** Whose package manager and nginx layout a host has. */
export type Family = keyof typeof DISTRIBUTIONS;
export type ServerKind = (typeof SERVERS)[number];

/** A cache host, checked, with all defaults filled in. */
export interface HostConfiguration {
  /** The host's identity in the stack; resources are named after it. */
  readonly name: string;
  readonly family: Family;
  readonly connection: HostConnection;
  /** The name under which clients reach the cache. */
  readonly domain: string;
  readonly server: ServerKind;
  readonly serverPort: number;
  readonly workers: number;
  /** The flake that the server is installed from. */
  readonly nixpkgs: string;
  readonly site: SiteSettings;
  /** Whether files that something else wrote may be taken over. */
  readonly adopt: boolean;
  /** Whether the host is gone for good: nothing is run on it any more, not even on destroy. */
  readonly lost: boolean;
  /** A new number runs every step on the host again. */
  readonly run: number;
}

export type SiteSettings = Readonly<Parsed["hosts"][number]["site"]>;

export interface SigningKeyConfiguration {
  readonly name: string;
  /** The key to import, in Nix's format; without it one is generated. */
  readonly secretKey?: SecretText;
}

export interface Upstream {
  readonly url: string;
  readonly publicKeys: readonly string[];
  readonly priority?: number;
}

export type ClientSettings = Readonly<Parsed["client"]>;

/** The configuration of a stack, parsed and checked. */
export interface Configuration {
  readonly hosts: readonly HostConfiguration[];
  readonly signingKeys: readonly SigningKeyConfiguration[];
  /** The name of the key that servers sign with. */
  readonly signWith: string;
  /** Where the caches of this stack stand among the substituters; lower is asked first. */
  readonly priority: number;
  readonly upstreams: readonly Upstream[];
  readonly clients: readonly { readonly name: string }[];
  readonly client: ClientSettings;
}

export type ParseResult =
  | { readonly configuration: Configuration; readonly problems?: undefined }
  | { readonly problems: readonly Problem[] };

/** Checks the values of a stack's configuration, all of them, and fills in the defaults. */
export function parseConfiguration(
  input: Readonly<Record<string, unknown>>,
  environment: Environment,
): ParseResult {
  const parsed = schema.safeParse(input);
  const problems = [
    ...(parsed.success ? [] : problemsOf(parsed.error.issues, input)),
    ...crossFieldProblems(input),
  ];
  if (!parsed.success) return { problems };
  const connections = parsed.data.hosts.map((host, index) =>
    connectionOf(host, index, environment),
  );
  problems.push(...connections.flatMap((connection) => connection.problems));
  if (problems.length > 0) return { problems };
  return {
    configuration: complete(
      parsed.data,
      connections.flatMap(({ value }) => value ?? []),
    ),
  };
}

function complete(values: Parsed, connections: readonly HostConnection[]): Configuration {
  const hosts = values.hosts.flatMap((host, index) => {
    const connection = connections[index];
    return connection === undefined ? [] : [completeHost(host, connection, values.nixpkgs)];
  });
  const signingKeys =
    values.signingKeys.length > 0 ? values.signingKeys : [{ name: `${values.hosts[0]?.name}-1` }];
  return {
    hosts,
    signingKeys: signingKeys.map(defined),
    signWith: values.signWith === "" ? (signingKeys[0]?.name ?? "") : values.signWith,
    priority: values.priority,
    upstreams: values.upstreams.map(defined),
    clients: values.clients,
    client: values.client,
  };
}

function completeHost(
  host: Parsed["hosts"][number],
  connection: HostConnection,
  nixpkgs: string,
): HostConfiguration {
  return {
    name: host.name,
    family: familyOf(host.distribution),
    connection,
    domain: host.domain ?? host.name,
    server: host.server,
    serverPort: host.serverPort,
    workers: host.workers ?? 4,
    nixpkgs: host.nixpkgs ?? nixpkgs,
    site: host.site,
    adopt: host.adopt,
    lost: host.lost,
    run: host.run,
  };
}

function familyOf(distribution: Parsed["hosts"][number]["distribution"]): Family {
  return (DISTRIBUTIONS.arch as readonly string[]).includes(distribution) ? "arch" : "debian";
}

/** Without the keys whose value is undefined, which optional properties may not hold. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
