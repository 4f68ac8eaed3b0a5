import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";

import { DISTRIBUTIONS } from "../../config/schema";
import { SecretText } from "../../config/secretText";
import { isDomainName } from "../../config/values";
import {
  accepted,
  configurationOf,
  HOST,
  HOST_KEY,
  nixPublicKey,
  nixSecretKey,
  pemOf,
  problemsOf,
  UPSTREAM,
} from "./support/samples";

type Input = Readonly<Record<string, unknown>>;

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
const DISTRIBUTION_NAMES =
  "arch, cachyos, endeavouros, garuda, manjaro, debian, ubuntu, linuxmint, pop, raspbian";
const HOST_NAME = "a name of lower-case letters, digits, '.' and '-', such as cachy.local";
const KEY_NAME = "a name of letters, digits, '.', '_' and '-', such as cachy.local-1";
const PUBLIC_KEYS = "public keys in Nix's format, NAME:BASE64 of 32 bytes; at least one";
const SECRET_KEY =
  "a Nix secret key, NAME:BASE64 of 64 bytes, as 'nix-store --generate-binary-cache-key' writes it";

/** The problems of the sample host with changes; one that is undefined takes a key out. */
function hostProblems(changes: Input): string[] {
  return problemsOf({ hosts: [{ ...HOST, ...changes }] });
}

/** A host key of some parts, as ssh-keygen writes it: a length in front of each. */
function hostKeyOf(type: string, ...parts: readonly (string | Buffer)[]): string {
  const blob = [type, ...parts].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, Buffer.from(part)];
  });
  return `${type} ${Buffer.concat(blob).toString("base64")}`;
}

function ecdsaHostKey(curve: "nistp256" | "nistp384" | "nistp521"): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: `P-${curve.slice(5)}` });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const coordinates = [x, y].map((coordinate) => Buffer.from(coordinate, "base64url"));
  return hostKeyOf(`ecdsa-sha2-${curve}`, curve, Buffer.concat([Buffer.from([4]), ...coordinates]));
}

const TOO_SHORT = {
  ed25519: hostKeyOf("ssh-ed25519", Buffer.alloc(16, 7)),
  ecdsa: hostKeyOf("ecdsa-sha2-nistp256", "nistp256", Buffer.alloc(20, 4)),
  curve: hostKeyOf("ecdsa-sha2-nistp256", "nistp384", Buffer.alloc(65, 4)),
};

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
    [
      "that is a fingerprint",
      "SHA256:uNiVztksCsDhcc0u9e8BrmuM",
      '"SHA256:uNiVztksCsDhcc0u9e8BrmuM"',
    ],
    ["with a host in front", `h ${HOST_KEY}`, `"h ${HOST_KEY}"`],
    ["of two lines", `${short}\nssh-ed25519`, `"${short}\\nssh-ed25519"`],
    ["that is no text", 5, "5"],
    ["that is cut short", short, `"${short}"`],
    ["of ed25519 with half a key", TOO_SHORT.ed25519, `"${TOO_SHORT.ed25519}"`],
    ["of ecdsa with a piece of a key", TOO_SHORT.ecdsa, `"${TOO_SHORT.ecdsa}"`],
    [
      "of ecdsa that names another curve inside",
      TOO_SHORT.curve,
      `${JSON.stringify(TOO_SHORT.curve).slice(0, 117)}...`,
    ],
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
    const [host] = configurationOf({ hostKey: `${hostKey}\n` }).hosts;
    expect(host).toHaveProperty("connection.endpoint.hostKey", hostKey);
  });

  test("may be trusted on first use instead, and is then unknown", () => {
    const [host] = configurationOf({ hostKey: undefined, trustOnFirstUse: true }).hosts;
    expect(host).toHaveProperty("connection.endpoint.address", "cachy.local");
    expect(host).not.toHaveProperty("connection.endpoint.hostKey");
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
      ["distribution", "nixos", '"nixos"', DISTRIBUTION_NAMES],
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
      [
        "bastion",
        "gate",
        '"gate"',
        "address, hostKey and, as needed, port, user and a private key",
      ],
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
    expect(hostProblems({ [key]: value })).toEqual([
      `hosts[0].${key}: ${shown} is not valid; accepted: ${wanted}`,
    ]);
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
    [{ client: { fallback: "on" } }, 'client.fallback: "on" is not valid; accepted: true or false'],
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

describe("a key that nobody knows is refused", () => {
  const input = {
    hosts: [
      {
        ...HOST,
        adress: "10.0.0.1",
        site: { narinfo: 1 },
        bastion: { address: "gate.local", hostKey: HOST_KEY, privateKeyFile: "key", jump: 1 },
      },
    ],
    signingKeys: [{ name: "cachy.local-1", secretkey: nixSecretKey("cachy.local-1") }],
    upstreams: [{ ...UPSTREAM, publicKey: "x" }],
    clients: [{ name: "deadbeef", system: "x86_64-linux" }],
    client: { timeout: 1 },
    workers: 4,
  };

  test("at every level, and its value is not shown", () => {
    expect(problemsOf(input)).toEqual([
      `hosts[0].bastion.jump: ${UNKNOWN}`,
      `hosts[0].site.narinfo: ${UNKNOWN}`,
      `hosts[0].adress: ${UNKNOWN}`,
      `signingKeys[0].secretkey: ${UNKNOWN}`,
      `upstreams[0].publicKey: ${UNKNOWN}`,
      `clients[0].system: ${UNKNOWN}`,
      `client.timeout: ${UNKNOWN}`,
      `workers: ${UNKNOWN}`,
    ]);
  });
});

describe("a secret is never part of a message", () => {
  const key = nixSecretKey("cachy.local-1");
  const pem = pemOf("login");

  /** The problems; fails if one of them holds a piece of the secret. */
  function problemsWithout(secret: string, input: Input): string[] {
    const problems = problemsOf(input);
    expect(problems.join("\n")).not.toContain(secret);
    return problems;
  }

  test("when it is of the wrong kind", () => {
    const host = { ...HOST, privateKeyFile: undefined, privateKey: "hunter2 of the host" };
    const bastion = { address: "gate.local", hostKey: HOST_KEY, privateKey: "hunter2 of the gate" };
    const wanted = "accepted: a private key in OpenSSH or PEM format, as a secret";
    expect(
      problemsWithout("hunter2", {
        hosts: [{ ...host, privateKeyPassword: ["hunter2"], bastion }],
        signingKeys: [{ name: "cachy.local-1", secretKey: "hunter2" }],
      }),
    ).toEqual([
      `hosts[0].privateKey: [secret] is not valid; ${wanted}`,
      "hosts[0].privateKeyPassword: [secret] is not valid; accepted: a password, as a secret",
      `hosts[0].bastion.privateKey: [secret] is not valid; ${wanted}`,
      `signingKeys[0].secretKey: [secret] is not valid; accepted: ${SECRET_KEY}`,
    ]);
  });

  test("when it stands in an object that is of the wrong kind", () => {
    expect(problemsWithout("hunter2", { hosts: { name: "a", privateKey: "hunter2" } })).toEqual([
      'hosts: {"name":"a","privateKey":"[secret]"} is not valid; accepted: a list of cache hosts; at least one',
    ]);
  });

  test("when the two halves of a key do not belong together", () => {
    const halves = Buffer.from(key.split(":")[1] ?? "", "base64");
    halves.fill(1, 32);
    const secretKey = `cachy.local-1:${halves.toString("base64")}`;
    expect(
      problemsWithout(halves.toString("base64").slice(0, 40), {
        hosts: [HOST],
        signingKeys: [{ name: "cachy.local-1", secretKey }],
      }),
    ).toEqual([`signingKeys[0].secretKey: [secret] is not valid; accepted: ${SECRET_KEY}`]);
  });

  test("when it was put where another value belongs", () => {
    const secret = key.slice(-40, -10);
    const keyObject = "accepted: an object with a name and, for an imported key, a secretKey";
    expect(problemsWithout(secret, { hosts: [HOST], signingKeys: [key] })).toEqual([
      `signingKeys[0]: "[secret]" is not valid; ${keyObject}`,
    ]);
    expect(problemsWithout(secret, { hosts: [HOST], signingKeys: [{ name: key }] })).toEqual([
      `signingKeys[0].name: "[secret]" is not valid; accepted: ${KEY_NAME}`,
    ]);
    const upstreams = [{ url: UPSTREAM.url, publicKeys: [key] }];
    expect(problemsWithout(secret, { hosts: [HOST], upstreams })).toEqual([
      `upstreams[0].publicKeys[0]: "[secret]" is not valid; accepted: ${PUBLIC_KEYS}`,
    ]);
    expect(problemsWithout(pem.slice(40, 70), { hosts: [{ ...HOST, hostKey: pem }] })).toEqual([
      `hosts[0].hostKey: "[secret]" is not valid; ${HOST_KEY_ACCEPTED}`,
    ]);
  });

  test("and shows itself only when asked", () => {
    const secret = new SecretText("hunter2");
    expect([String(secret), JSON.stringify({ secret }), inspect(secret)]).toEqual([
      "[secret]",
      '{"secret":"[secret]"}',
      "SecretText {}",
    ]);
    expect(secret.reveal()).toBe("hunter2");
  });
});

describe("values that contradict each other are refused", () => {
  const other = { ...HOST, name: "other.local" };

  test("two hosts of one name", () => {
    const signingKeys = [{ name: "cachy.local-1" }];
    expect(problemsOf({ hosts: [HOST, other, HOST], signingKeys })).toEqual([
      'hosts[2].name: "cachy.local" is that of hosts[0] too; accepted: a name of its own for every host',
    ]);
  });

  test("two hosts of one domain, whether it is given or follows from the name", () => {
    const signingKeys = [{ name: "cachy.local-1" }];
    expect(problemsOf({ hosts: [HOST, { ...other, domain: "cachy.local" }], signingKeys })).toEqual(
      [
        'hosts[1].domain: "cachy.local" is that of cachy.local too; accepted: a domain of its own for every host',
      ],
    );
  });

  test("a signing key, an upstream or a client that is listed twice", () => {
    const signingKey = { name: "cachy.local-1" };
    const client = { name: "deadbeef" };
    expect(
      problemsOf({
        hosts: [HOST],
        signingKeys: [signingKey, signingKey],
        upstreams: [UPSTREAM, UPSTREAM],
        clients: [client, { name: "cafe" }, client],
      }),
    ).toEqual([
      'signingKeys[1].name: "cachy.local-1" is that of signingKeys[0] too; accepted: a name of its own for every key',
      'upstreams[1].url: "https://cache.nixos.org" is that of upstreams[0] too; accepted: every upstream once',
      'clients[2].name: "deadbeef" is that of clients[0] too; accepted: every client once',
    ]);
  });

  test.each(["nix-serve-ng", "none"])("workers beside server: %s", (server) => {
    expect(hostProblems({ server, workers: 8 })).toEqual([
      `hosts[0].workers: 8 has no meaning with 'server: ${server}'; accepted: no workers, or nix-serve or harmonia as server`,
    ]);
  });

  test("a private key and the file of one, of the host and of its bastion", () => {
    const both = { privateKey: pemOf("login"), privateKeyFile: "key" };
    const bastion = { address: "gate.local", hostKey: HOST_KEY, ...both };
    expect(hostProblems({ ...both, bastion })).toEqual([
      "hosts[0].privateKeyFile: given beside privateKey; accepted: one of the two",
      "hosts[0].bastion.privateKeyFile: given beside privateKey; accepted: one of the two",
    ]);
  });

  test.each([
    ["hostKey", HOST_KEY],
    ["trustOnFirstUse", false],
    ["address", "10.0.0.1"],
    ["port", 22],
    ["user", "root"],
    ["privateKey", pemOf("login")],
    ["privateKeyFile", "key"],
    ["privateKeyPassword", "password"],
    ["bastion", { address: "gate.local", hostKey: HOST_KEY }],
  ])("%s beside connection: local", (key, value) => {
    const host = { name: "cachy.local", distribution: "arch", connection: "local" };
    expect(problemsOf({ hosts: [{ ...host, [key]: value }] })).toEqual([
      `hosts[0].${key}: given beside 'connection: local', which uses no ssh; accepted: one of the two`,
    ]);
  });

  test("a name that is an address, without a domain", () => {
    expect(hostProblems({ name: "10.0.0.1" })).toEqual([
      "hosts[0].domain: missing, and the host's name 10.0.0.1 is an address; accepted: a DNS name that clients use",
    ]);
    expect(hostProblems({ name: "10.0.0.1", domain: "cachy.local" })).toEqual([]);
  });

  test.each(["a..b", "a-.b", "a".repeat(64)])("a name that is no DNS name, %s", (name) => {
    expect(hostProblems({ name })).toEqual([
      `hosts[0].domain: missing, and the host's name ${name} is no DNS name; accepted: a DNS name that clients use`,
    ]);
    expect(hostProblems({ name, domain: "cachy.local" })).toEqual([]);
  });

  test("a generated key whose name has no number at its end", () => {
    const wanted = (name: string): string =>
      `accepted: a generated key's name ends in a number, such as ${name}-1, so that its successors can be told apart (an imported key keeps its name)`;
    const signingKeys = [{ name: "cachy.local" }, { name: "cachy-1a" }, { name: "cachy-10" }];
    expect(problemsOf({ hosts: [HOST], signingKeys })).toEqual([
      `signingKeys[0].name: "cachy.local" is not valid; ${wanted("cachy.local")}`,
      `signingKeys[1].name: "cachy-1a" is not valid; ${wanted("cachy-1a")}`,
    ]);
  });

  test("but not an imported key of such a name, which clients know it by", () => {
    const secretKey = `${nixSecretKey("cachy.local")}\n`;
    const { signingKeys } = configurationOf(
      {},
      { signingKeys: [{ name: "cachy.local", secretKey }] },
    );
    expect(signingKeys.map(({ name }) => name)).toEqual(["cachy.local"]);
    expect(signingKeys[0]?.secretKey?.reveal()).toBe(secretKey);
  });

  test("an imported key under another name than its own", () => {
    const signingKeys = [{ name: "cachy.local-2", secretKey: nixSecretKey("cachy.local-1") }];
    expect(problemsOf({ hosts: [HOST], signingKeys })).toEqual([
      'signingKeys[0].name: "cachy.local-2" is not valid; accepted: the name that the imported secretKey carries',
    ]);
  });

  test("several hosts with no signing key, whose order would decide its name", () => {
    const missing = (name: string): string =>
      `signingKeys: missing; accepted: with more than one host, the signing key by its name, such as ${name}-1`;
    const other = { ...HOST, name: "other.local" };
    expect(problemsOf({ hosts: [HOST, other] })).toEqual([missing("cachy.local")]);
    expect(problemsOf({ hosts: [other, HOST], signingKeys: [] })).toEqual([missing("other.local")]);
    expect(problemsOf({ hosts: [HOST, other], signWith: "cachy.local-1" })).toEqual([
      missing("cachy.local"),
    ]);
    // A name that is none is not held up as an example.
    expect(problemsOf({ hosts: [{ ...HOST, name: "Bad Name" }, other] })).toEqual([
      `hosts[0].name: "Bad Name" is not valid; accepted: ${HOST_NAME}`,
      missing("cachy.local"),
    ]);
    const signingKeys = [{ name: "cachy.local-1" }];
    expect(problemsOf({ hosts: [HOST, other], signingKeys })).toEqual([]);
    expect(problemsOf({ hosts: [HOST] })).toEqual([]);
  });

  test("a key to sign with that is no signing key", () => {
    expect(problemsOf({ hosts: [HOST], signWith: "other-1" })).toEqual([
      'signWith: "other-1" is not valid; accepted: the name of a signing key (cachy.local-1)',
    ]);
    expect(problemsOf({ hosts: [HOST], signWith: "cachy.local-1" })).toEqual([]);
    const signingKeys = [{ name: "cachy.local-1" }, { name: "cachy.local-2" }];
    expect(problemsOf({ hosts: [HOST], signingKeys, signWith: "other-1" })).toEqual([
      'signWith: "other-1" is not valid; accepted: the name of a signing key (cachy.local-1, cachy.local-2)',
    ]);
  });
});

test("two hosts that are one machine are refused", () => {
  const elsewhere = { ...HOST, name: "other.local", address: HOST.name };
  const signingKeys = [{ name: "cachy.local-1" }];
  expect(problemsOf({ hosts: [HOST, elsewhere], signingKeys })).toEqual([
    "hosts[1].address: cachy.local port 22 is cachy.local already; accepted: a machine of its own for every host",
  ]);
  expect(problemsOf({ hosts: [HOST, { ...elsewhere, port: 2222 }], signingKeys })).toEqual([]);
});

test("a password in an address is not shown", () => {
  const upstreams = [{ url: "https://me:hunter2@cache.example", publicKeys: [] }];
  const text = problemsOf({ hosts: [HOST], upstreams }).join("\n");
  expect(text).toContain("https://[secret]@cache.example");
  expect(text).not.toContain("hunter2");
});

test("all problems of all levels are reported at once", () => {
  const input = {
    hosts: [
      { name: "cachy.local", distribution: "nixos", port: 0, server: "none", workers: 4 },
      { ...HOST, domain: "Cachy", adopted: true },
    ],
    signingKeys: [{ name: "cachy" }],
    priority: "high",
  };
  expect(problemsOf(input)).toEqual([
    `hosts[0].distribution: "nixos" is not valid; accepted: ${DISTRIBUTION_NAMES}`,
    `hosts[0].port: 0 is not valid; accepted: ${PORT}`,
    `hosts[1].domain: "Cachy" is not valid; accepted: ${DOMAIN}`,
    `hosts[1].adopted: ${UNKNOWN}`,
    `priority: "high" is not valid; accepted: ${PRIORITY}`,
    'hosts[1].name: "cachy.local" is that of hosts[0] too; accepted: a name of its own for every host',
    HOST_KEY_MISSING,
    "hosts[0].workers: 4 has no meaning with 'server: none'; accepted: no workers, or nix-serve or harmonia as server",
    'signingKeys[0].name: "cachy" is not valid; accepted: a generated key\'s name ends in a number, such as cachy-1, so that its successors can be told apart (an imported key keeps its name)',
  ]);
});

describe("what is accepted", () => {
  test("a host of four values gets all defaults", () => {
    const { hosts, ...stack } = accepted({ hosts: [HOST] });
    expect(hosts).toEqual([
      {
        name: "cachy.local",
        family: "debian",
        connection: {
          kind: "ssh",
          endpoint: {
            address: "cachy.local",
            port: 22,
            user: "root",
            hostKey: HOST_KEY,
            privateKey: expect.any(SecretText) as SecretText,
          },
          waitSeconds: 120,
        },
        domain: "cachy.local",
        server: "nix-serve",
        serverPort: 5000,
        workers: 4,
        nixpkgs: "github:NixOS/nixpkgs/nixos-26.05",
        site: {
          serverNames: [],
          publishedStore: "/srv/nix-binary-cache",
          narinfoSeconds: 300,
          narDays: 30,
          narGigabytes: 20,
          ipv6: true,
          workerConnections: 4096,
        },
        adopt: false,
        lost: false,
        run: 1,
      },
    ]);
    expect(stack).toEqual({
      signingKeys: [{ name: "cachy.local-1" }],
      signWith: "cachy.local-1",
      priority: 30,
      upstreams: [],
      clients: [],
      client: { connectTimeout: 5, stalledDownloadTimeout: 30, fallback: true },
    });
  });

  test("all values of a host and of the stack", () => {
    const site = {
      serverNames: ["cache.example.org"],
      publishedStore: "/data/cache",
      narinfoSeconds: 0,
      narDays: 7,
      narGigabytes: 100,
      ipv6: false,
      workerConnections: 1024,
    };
    const host = {
      name: "cachy",
      connection: "local",
      distribution: "cachyos",
      domain: "cache.local",
      server: "harmonia",
      serverPort: 6000,
      workers: 16,
      nixpkgs: "nixpkgs",
      site,
      adopt: true,
      lost: true,
      run: 3,
    };
    const { connection, distribution, ...same } = host;
    const signingKeys = [{ name: "cachy-1" }, { name: "cachy-2" }];
    const upstreams = [{ ...UPSTREAM, priority: 40 }];
    const clients = [{ name: "deadbeef" }];
    const client = { connectTimeout: 1, stalledDownloadTimeout: 2, fallback: false };
    const stack = { signingKeys, signWith: "cachy-2", priority: 10, upstreams, clients, client };
    expect(accepted({ hosts: [host], nixpkgs: "github:a/b", ...stack })).toEqual({
      hosts: [{ ...same, family: "arch", connection: { kind: "local" } }],
      ...stack,
    });
    expect([connection, distribution]).toEqual(["local", "cachyos"]);
  });

  test("the stack's nixpkgs where a host has none of its own", () => {
    expect(configurationOf({}, { nixpkgs: "github:NixOS/nixpkgs/0123abc" }).hosts[0]?.nixpkgs).toBe(
      "github:NixOS/nixpkgs/0123abc",
    );
  });

  test("every distribution, each with its family", () => {
    for (const [family, distributions] of Object.entries(DISTRIBUTIONS)) {
      for (const distribution of distributions) {
        expect(configurationOf({ distribution }).hosts[0]?.family).toBe(family);
      }
    }
  });

  test("hosts of names and domains of their own, which share the key that is listed", () => {
    const other = { ...HOST, name: "other.local" };
    const { hosts, signingKeys } = accepted({
      hosts: [HOST, other],
      signingKeys: [{ name: "shared-3" }],
    });
    expect(hosts.map(({ name, domain }) => [name, domain])).toEqual([
      ["cachy.local", "cachy.local"],
      ["other.local", "other.local"],
    ]);
    expect(signingKeys).toEqual([{ name: "shared-3" }]);
  });

  test("upstreams with several public keys", () => {
    const publicKeys = [nixPublicKey("a-1"), nixPublicKey("a-2")];
    const upstreams = [{ url: "http://[::1]:8080/cache", publicKeys }];
    expect(configurationOf({}, { upstreams }).upstreams).toEqual(upstreams);
  });
});
