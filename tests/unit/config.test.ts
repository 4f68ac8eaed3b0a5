import { generateKeyPairSync } from "node:crypto";
import { linkSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";

import * as pulumi from "@pulumi/pulumi";
import { parse as parseYaml } from "yaml";

import { type Environment, type HostConnection, machineEnvironment } from "../../config/connection";
import { loadConfiguration } from "../../config/load";
import { schema } from "../../config/schema";
import { SecretText } from "../../config/secretText";
import { isDomainName } from "../../config/values";
import { PROJECT, record } from "./support/mocks";
import { run, temporaryDirectory } from "./support/processes";
import {
  accepted,
  configurationOf,
  HOST,
  HOST_KEY,
  LOGIN_KEY,
  machine,
  nixPublicKey,
  nixSecretKey,
  pemOf,
  problemsOf,
  UPSTREAM,
} from "./support/samples";

type Input = Readonly<Record<string, unknown>>;

const ROOT = join(__dirname, "..", "..");
const UNKNOWN = "unknown key; look for a typing error, docs/configuration.md lists all keys";
const HOST_KEY_ACCEPTED =
  "accepted: the host's ed25519 or ecdsa public key as in /etc/ssh/ssh_host_ed25519_key.pub (RSA cannot work: the command provider offers only ssh-rsa with SHA-1, which current sshd refuses)";
const HOST_KEY_MISSING =
  "hosts[0].hostKey: missing; accepted: the host's ed25519 or ecdsa public key (on the host: cat /etc/ssh/ssh_host_ed25519_key.pub), or trustOnFirstUse: true";
const DOMAIN = "a DNS name in lower case, such as cachy.local";
const FLAKE =
  "a flake reference without '#' and quotes, such as github:NixOS/nixpkgs/nixos-26.05 or github:NixOS/nixpkgs/REVISION";
const STORE_PATH = "an absolute path without blanks or '..'";
const PORT = "a port number from 1 to 65535";
const PRIORITY = "a number from 0 to 1000; lower is asked first";
const HOST_NAME = "a name of lower-case letters, digits, '.' and '-', such as cachy.local";
const KEY_NAME = "a name of letters, digits, '.', '_' and '-', such as cachy.local-1";
const PUBLIC_KEYS = "public keys in Nix's format, NAME:BASE64 of 32 bytes; at least one";
const SECRET_KEY =
  "a Nix secret key, NAME:BASE64 of 64 bytes, as 'nix-store --generate-binary-cache-key' writes it";

/** The problems of the sample host with changes; `undefined` takes a key out. */
function hostProblems(changes: Input, environment?: Environment): string[] {
  return problemsOf({ hosts: [changed(changes)] }, environment);
}

function changed(changes: Input): Input {
  const host: Record<string, unknown> = { ...HOST, ...changes };
  return Object.fromEntries(Object.entries(host).filter(([, value]) => value !== undefined));
}

function connectionOf(changes: Input, environment?: Environment): HostConnection | undefined {
  return accepted({ hosts: [changed(changes)] }, environment).hosts[0]?.connection;
}

/** An ecdsa host key as ssh-keygen writes it. */
function ecdsaHostKey(curve: "nistp256" | "nistp384" | "nistp521"): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: `P-${curve.slice(5)}` });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(x, "base64url"),
    Buffer.from(y, "base64url"),
  ]);
  const type = `ecdsa-sha2-${curve}`;
  const blob = Buffer.concat(
    [Buffer.from(type), Buffer.from(curve), point].flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
  return `${type} ${blob.toString("base64")}`;
}

describe("the key of a host", () => {
  test("is required", () => {
    expect(hostProblems({ hostKey: undefined })).toEqual([HOST_KEY_MISSING]);
  });

  const short = HOST_KEY.slice(0, 36);
  test.each([
    ["of RSA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB", '"ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"'],
    ["that is garbage", "nonsense", '"nonsense"'],
    ["without its type", HOST_KEY.slice(12), `"${HOST_KEY.slice(12)}"`],
    [
      "of another type than it says",
      HOST_KEY.replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
      `"${HOST_KEY.replace("ssh-ed25519", "ecdsa-sha2-nistp256")}"`,
    ],
    ["that is a fingerprint", "SHA256:uNiVztksCsDhcc0u9e8BrmuM", '"SHA256:uNiVztksCsDhcc0u9e8BrmuM"'],
    ["with a host in front", `h ${HOST_KEY}`, `"h ${HOST_KEY}"`],
    ["of two lines", `${short}\nssh-ed25519`, `"${short}\\nssh-ed25519"`],
    ["that is no text", 5, "5"],
    ["that is cut short", short, `"${short}"`],
    [
      "that is longer than a line of an error",
      `ssh-rsa ${"A".repeat(200)}`,
      `"ssh-rsa ${"A".repeat(108)}...`,
    ],
  ])("is refused when it is one %s", (_, hostKey, shown) => {
    expect(hostProblems({ hostKey })).toEqual([
      `hosts[0].hostKey: ${shown} is not valid; ${HOST_KEY_ACCEPTED}`,
    ]);
  });

  test("is checked for a bastion too, where it is required", () => {
    expect(hostProblems({ bastion: { address: "gate.local" } })).toEqual([
      `hosts[0].bastion.hostKey: missing; ${HOST_KEY_ACCEPTED}`,
    ]);
  });

  test.each([
    ["ed25519", HOST_KEY],
    ["ecdsa of 256 bits", ecdsaHostKey("nistp256")],
    ["ecdsa of 384 bits", ecdsaHostKey("nistp384")],
    ["ecdsa of 521 bits", ecdsaHostKey("nistp521")],
    ["a line with a comment", `${HOST_KEY} root@cachy`],
  ])("is accepted as %s", (_, hostKey) => {
    expect(connectionOf({ hostKey: `${hostKey}\n` })).toMatchObject({ endpoint: { hostKey } });
  });

  test("may be trusted on first use instead, and is then unknown", () => {
    const connection = connectionOf({ hostKey: undefined, trustOnFirstUse: true });
    expect(connection).toHaveProperty("endpoint.address", "cachy.local");
    expect(connection).not.toHaveProperty("endpoint.hostKey");
  });

  test("is not both given and trusted on first use", () => {
    expect(hostProblems({ trustOnFirstUse: true })).toEqual([
      "hosts[0].trustOnFirstUse: true beside a hostKey; accepted: one of the two",
    ]);
  });

  test("is still required with trustOnFirstUse: false", () => {
    expect(hostProblems({ hostKey: undefined, trustOnFirstUse: false })).toEqual([
      HOST_KEY_MISSING,
    ]);
  });

  test("is not asked for through a bastion", () => {
    const bastion = { address: "gate.local", hostKey: HOST_KEY, privateKeyFile: "key" };
    expect(hostProblems({ hostKey: undefined, trustOnFirstUse: true, bastion })).toEqual([
      "hosts[0].trustOnFirstUse: true beside a bastion; accepted: a hostKey, since the key cannot be asked for through a bastion",
    ]);
  });
});

describe("a value of the wrong kind is refused with its path, itself and what is accepted", () => {
  const ofHost: readonly (readonly [key: string, value: unknown, shown: string, wanted: string])[] =
    [
      ["name", "Cachy", '"Cachy"', HOST_NAME],
      ["name", "-cachy", '"-cachy"', HOST_NAME],
      ["distribution", "nixos", '"nixos"', DISTRIBUTION_NAMES()],
      ["connection", "telnet", '"telnet"', "ssh, local"],
      ["address", "-oProxyCommand=x", '"-oProxyCommand=x"', "a DNS name or an IP address"],
      ["address", "a b", '"a b"', "a DNS name or an IP address"],
      ["port", 0, "0", PORT],
      ["port", 65_536, "65536", PORT],
      ["port", 22.5, "22.5", PORT],
      ["port", "22", '"22"', PORT],
      ["user", "root; id", '"root; id"', "the name of an account"],
      ["trustOnFirstUse", "yes", '"yes"', "true or false"],
      ["privateKeyFile", "", '""', "the path of a private key file"],
      ["bastion", "gate", '"gate"', "address, hostKey and, as needed, port, user and a private key"],
      ["waitSeconds", 0, "0", "seconds from 1 to 3600"],
      ["domain", "Cachy.local", '"Cachy.local"', DOMAIN],
      ["domain", "cachy_1.local", '"cachy_1.local"', DOMAIN],
      ["domain", "http://cachy.local", '"http://cachy.local"', DOMAIN],
      ["domain", "10.0.0.1", '"10.0.0.1"', DOMAIN],
      ["domain", "cachy.local.", '"cachy.local."', DOMAIN],
      ["server", "apache", '"apache"', "nix-serve, nix-serve-ng, harmonia, none"],
      ["serverPort", 80, "80", "a port number from 1024 to 65535"],
      ["workers", 0, "0", "a number from 1 to 256"],
      ["nixpkgs", "nixpkgs#nix-serve", '"nixpkgs#nix-serve"', FLAKE],
      ["nixpkgs", "github:a/b'c", `"github:a/b'c"`, FLAKE],
      ["site", "x", '"x"', "settings of the nginx site"],
      ["adopt", 1, "1", "true or false"],
      ["lost", "no", '"no"', "true or false"],
      ["run", 0, "0", "a number from 1 up"],
    ];
  test.each(ofHost)("hosts[0].%s: %j", (key, value, shown, wanted) => {
    expect(
      hostProblems({ [key]: value, ...(key === "trustOnFirstUse" ? {} : {}) }),
    ).toEqual([`hosts[0].${key}: ${shown} is not valid; accepted: ${wanted}`]);
  });

  const ofSite: readonly (readonly [key: string, value: unknown, wanted: string])[] = [
    ["serverNames", "cache.local", "a list of DNS names"],
    ["publishedStore", "srv/cache", STORE_PATH],
    ["publishedStore", "/srv/../etc", STORE_PATH],
    ["publishedStore", "/srv/a b", STORE_PATH],
    ["publishedStore", "/srv/", STORE_PATH],
    ["publishedStore", "/srv/$uri", STORE_PATH],
    ["narinfoSeconds", -1, "seconds from 0 to 86400"],
    ["narDays", 0, "days from 1 to 3650"],
    ["narGigabytes", 0, "gigabytes from 1 to 100000"],
    ["ipv6", 1, "true or false"],
    ["workerConnections", 511, "a number from 512 to 1000000"],
  ];
  test.each(ofSite)("hosts[0].site.%s: %j", (key, value, wanted) => {
    expect(hostProblems({ site: { [key]: value } })).toEqual([
      `hosts[0].site.${key}: ${JSON.stringify(value)} is not valid; accepted: ${wanted}`,
    ]);
  });

  test("an entry of a list is named by its place", () => {
    expect(hostProblems({ site: { serverNames: ["cache.local", "_"] } })).toEqual([
      `hosts[0].site.serverNames[1]: "_" is not valid; accepted: ${DOMAIN}`,
    ]);
  });

  const ofStack: readonly (readonly [input: Input, problem: string])[] = [
    [{ signingKeys: "x" }, 'signingKeys: "x" is not valid; accepted: a list of signing keys'],
    [{ signingKeys: [{}] }, `signingKeys[0].name: missing; accepted: ${KEY_NAME}`],
    [
      { signingKeys: [{ name: "a b-1" }] },
      `signingKeys[0].name: "a b-1" is not valid; accepted: ${KEY_NAME}`,
    ],
    [{ nixpkgs: 5 }, `nixpkgs: 5 is not valid; accepted: ${FLAKE}`],
    [{ priority: 1001 }, `priority: 1001 is not valid; accepted: ${PRIORITY}`],
    [{ upstreams: {} }, "upstreams: {} is not valid; accepted: a list of upstream caches"],
    [
      { upstreams: [{ ...UPSTREAM, url: "ftp://cache" }] },
      'upstreams[0].url: "ftp://cache" is not valid; accepted: an http or https URL',
    ],
    [
      { upstreams: [{ ...UPSTREAM, priority: -1 }] },
      `upstreams[0].priority: -1 is not valid; accepted: ${PRIORITY}`,
    ],
    [{ clients: true }, "clients: true is not valid; accepted: a list of clients"],
    [
      { clients: ["deadbeef"] },
      'clients[0]: "deadbeef" is not valid; accepted: an object with a name',
    ],
    [
      { clients: [{ name: "dead beef" }] },
      'clients[0].name: "dead beef" is not valid; accepted: the name of a nixosConfigurations entry',
    ],
    [{ client: 1 }, "client: 1 is not valid; accepted: settings of the client module"],
    [
      { client: { connectTimeout: 0 } },
      "client.connectTimeout: 0 is not valid; accepted: seconds from 1 to 300",
    ],
    [
      { client: { stalledDownloadTimeout: 3601 } },
      "client.stalledDownloadTimeout: 3601 is not valid; accepted: seconds from 1 to 3600",
    ],
    [
      { client: { fallback: "on" } },
      'client.fallback: "on" is not valid; accepted: true or false',
    ],
  ];
  test.each(ofStack)("%j", (input, problem) => {
    expect(problemsOf({ hosts: [HOST], ...input })).toEqual([problem]);
  });

  test("an upstream without a key", () => {
    const { url } = UPSTREAM;
    expect(problemsOf({ hosts: [HOST], upstreams: [{ url }] })).toEqual([
      `upstreams[0].publicKeys: missing; accepted: ${PUBLIC_KEYS}`,
    ]);
    expect(problemsOf({ hosts: [HOST], upstreams: [{ url, publicKeys: [] }] })).toEqual([
      `upstreams[0].publicKeys: [] is not valid; accepted: ${PUBLIC_KEYS}`,
    ]);
    expect(problemsOf({ hosts: [HOST], upstreams: [{ url, publicKeys: ["a-1:AAAA"] }] })).toEqual([
      `upstreams[0].publicKeys[0]: "a-1:AAAA" is not valid; accepted: ${PUBLIC_KEYS}`,
    ]);
  });

  test("hosts that are missing, none, no list, or no objects", () => {
    const wanted = "accepted: a list of cache hosts; at least one";
    expect(problemsOf({})).toEqual([`hosts: missing; ${wanted}`]);
    expect(problemsOf({ hosts: [] })).toEqual([`hosts: [] is not valid; ${wanted}`]);
    expect(problemsOf({ hosts: HOST.name })).toEqual([
      `hosts: "cachy.local" is not valid; ${wanted}`,
    ]);
    expect(problemsOf({ hosts: ["cachy"] })).toEqual([
      'hosts[0]: "cachy" is not valid; accepted: an object with at least name, distribution and hostKey',
      HOST_KEY_MISSING,
    ]);
  });

  test("a domain follows RFC 1123", () => {
    const label = "a".repeat(63);
    for (const good of ["cachy", "cachy.local", "a-1.b", "1a", label]) {
      expect([good, isDomainName(good)]).toEqual([good, true]);
    }
    const long = Array.from({ length: 4 }, () => label).join(".");
    for (const bad of ["", "a..b", "-a", "a-", ".a", "a.", `${label}a`, long, "1.2.3.4", "::1"]) {
      expect([bad, isDomainName(bad)]).toEqual([bad, false]);
    }
  });
});

function DISTRIBUTION_NAMES(): string {
  return "arch, cachyos, endeavouros, garuda, manjaro, debian, ubuntu, linuxmint, pop, raspbian";
}
