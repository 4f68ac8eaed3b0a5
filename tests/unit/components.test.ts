import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { BinaryCache } from "../../components/binaryCache";
import { attemptsWithin } from "../../components/remote/connection";
import { bootstrapText, hostPrograms } from "../../components/remote/hostPrograms";
import { ManagedHost } from "../../components/remote/managedHost";
import { SigningKey } from "../../components/signingKey";
import type { Configuration } from "../../config/configuration";
import { clientModule } from "../../render/clientModule";
import { keysSet, packagesSet, programSet } from "../../render/hostSets";
import { serverSet } from "../../render/serverSet";
import { siteSet } from "../../render/siteSet";
import { type MockSettings, record, type Recorder, valueOf } from "./support/mocks";
import {
  accepted,
  configurationOf,
  HOST,
  HOST_KEY,
  LOGIN_KEY,
  nixPublicKey,
  nixSecretKey,
  pemOf,
  seedOf,
  server,
  site,
  UPSTREAM,
} from "./support/samples";

const SET = "/usr/local/lib/nix-binary-cache/configuration-set";
const LOCAL = { name: "cachy.local", distribution: "debian", connection: "local" } as const;
const OWNER = "--owner nix-binary-cache/dev/cachy.local";
const STEPS = ["program", "packages", "keys", "server", "site"];

/** A cache with two hosts, whose key must be listed. */
const TWO_HOSTS = {
  hosts: [HOST, { ...HOST, name: "other.local" }],
  signingKeys: [{ name: "cachy.local-1" }],
};

/** Constructs the cache and waits until all of it is registered. */
async function deploy(configuration: Configuration, settings?: MockSettings): Promise<Recorder> {
  const recorder = await record(settings);
  new BinaryCache("binary-cache", configuration);
  await recorder.settle();
  return recorder;
}

/** What each step of a host has for an input, in the order of the steps. */
function inputs(
  recorder: Recorder,
  name: string,
  host: string = HOST.name,
  steps = STEPS,
): unknown[] {
  return steps.map((step) => {
    const [command] = recorder.commands.filter((each) => each.name === `${host}-${step}`);
    return command?.inputs[name];
  });
}

/** A cache with one host in which nothing is set but what must be. */
let plainCache: Recorder;

beforeAll(async () => {
  plainCache = await deploy(configurationOf());
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe("the resources", () => {
  test("of a cache with one host are five commands, a key, and what they belong to", () => {
    expect(plainCache.tree()).toBe(`nixcache:index:BinaryCache binary-cache
  nixcache:index:CacheHost cachy.local
    command:remote:Command cachy.local-program
    nixcache:index:CacheServer cachy.local-server
      command:remote:Command cachy.local-server
    nixcache:index:HostPackages cachy.local-packages
      command:remote:Command cachy.local-packages
    nixcache:index:NginxSite cachy.local-site
      command:remote:Command cachy.local-site
    nixcache:index:SigningKeyFiles cachy.local-keys
      command:remote:Command cachy.local-keys
  nixcache:index:ClientModule binary-cache
  nixcache:index:SigningKey cachy.local-1
    tls:index/privateKey:PrivateKey cachy.local-1
`);
    expect(plainCache.only("cachy.local-site").urn).toBe(
      "urn:pulumi:dev::nix-binary-cache::nixcache:index:NginxSite$command:remote:Command::cachy.local-site",
    );
    expect(plainCache.registered.filter(({ custom }) => custom)).toHaveLength(6);
  });

  test("of a host without a server are no keys and no server", async () => {
    const recorder = await deploy(configurationOf({ server: "none" }));
    expect(recorder.tree()).toBe(`nixcache:index:BinaryCache binary-cache
  nixcache:index:CacheHost cachy.local
    command:remote:Command cachy.local-program
    nixcache:index:HostPackages cachy.local-packages
      command:remote:Command cachy.local-packages
    nixcache:index:NginxSite cachy.local-site
      command:remote:Command cachy.local-site
  nixcache:index:ClientModule binary-cache
  nixcache:index:SigningKey cachy.local-1
    tls:index/privateKey:PrivateKey cachy.local-1
`);
  });

  test("of the machine itself are local commands", async () => {
    const recorder = await deploy(accepted({ hosts: [LOCAL] }));
    expect(recorder.commands.map(({ type, name }) => `${type} ${name}`).sort()).toEqual(
      [...STEPS].sort().map((step) => `command:local:Command cachy.local-${step}`),
    );
  });

  test("of an imported key are none besides its component", async () => {
    const signingKeys = [{ name: "old", secretKey: nixSecretKey("old") }];
    const recorder = await deploy(configurationOf({ server: "none" }, { signingKeys }));
    expect(recorder.registered.filter(({ type }) => type.startsWith("tls:"))).toEqual([]);
    expect(recorder.only("old", "nixcache:index:SigningKey").inputs).toEqual({});
  });

  test("carry nothing in the inputs of components, which the state would hold in the clear", () => {
    const components = plainCache.registered.filter(({ custom }) => !custom);
    expect(components.map((each) => each.inputs)).toEqual(components.map(() => ({})));
    expect(components).toHaveLength(8);
  });

  test("need a key to sign with", async () => {
    const recorder = await record();
    const configuration = { ...configurationOf(), signWith: "other-1" };
    expect(() => new BinaryCache("binary-cache", configuration)).toThrow(
      new Error("no signing key is named other-1"),
    );
    await recorder.settle();
  });
});

describe("every command", () => {
  test("has these inputs and no others: no triggers, no update, no environment", async () => {
    const names = ["addPreviousOutputInEnv", "connection", "create", "delete", "logging", "stdin"];
    expect(plainCache.commands.map((each) => Object.keys(each.inputs).sort())).toEqual(
      STEPS.map(() => names),
    );
    const local = await deploy(accepted({ hosts: [LOCAL] }));
    expect(local.commands.map((each) => Object.keys(each.inputs).sort())).toEqual(
      STEPS.map(() => names.filter((name) => name !== "connection")),
    );
  });

  test("logs nothing and gets nothing of its last output", async () => {
    const tofu = { ...HOST, hostKey: undefined, trustOnFirstUse: true };
    for (const hosts of [[HOST], [tofu], [LOCAL]]) {
      const { commands } = await deploy(accepted({ hosts }));
      for (const command of commands) {
        expect(command.inputs).toMatchObject({ logging: "none", addPreviousOutputInEnv: false });
      }
    }
  });

  test("has a connection that is secret, with the pinned host key", async () => {
    const recorder = await deploy(configurationOf({ address: "10.0.0.1", port: 2222 }));
    for (const command of recorder.commands) {
      expect(command.secretInputs.includes("connection")).toBe(true);
      expect(command.inputs["connection"]).toEqual({
        host: "10.0.0.1",
        port: 2222,
        user: "root",
        hostKey: HOST_KEY,
        privateKey: LOGIN_KEY,
        perDialTimeout: 5,
        dialErrorLimit: 21,
      });
    }
  });

  test("goes through the bastion, whose host key is pinned too", async () => {
    const bastion = {
      address: "gate.local",
      port: 2222,
      user: "jump",
      hostKey: HOST_KEY,
      privateKey: pemOf("gate"),
    };
    const recorder = await deploy(configurationOf({ bastion }));
    expect(recorder.only("cachy.local-site").inputs["connection"]).toEqual({
      host: "cachy.local",
      port: 22,
      user: "root",
      hostKey: HOST_KEY,
      privateKey: LOGIN_KEY,
      perDialTimeout: 5,
      dialErrorLimit: 21,
      proxy: {
        host: "gate.local",
        port: 2222,
        user: "jump",
        hostKey: HOST_KEY,
        privateKey: pemOf("gate"),
        perDialTimeout: 5,
        dialErrorLimit: 21,
      },
    });
  });

  test("has no private key where an agent holds it", async () => {
    const environment = {
      agentSocket: "/agent",
      readFile: () => "",
      isListening: () => true,
    };
    const recorder = await deploy(configurationOf({ privateKeyFile: undefined }, {}, environment));
    expect(recorder.only("cachy.local-site").inputs["connection"]).toEqual({
      host: "cachy.local",
      port: 22,
      user: "root",
      hostKey: HOST_KEY,
      perDialTimeout: 5,
      dialErrorLimit: 21,
    });
  });

  test("is told its text on stdin", () => {
    const name = "cachy.local-1";
    expect(inputs(plainCache, "stdin")).toEqual([
      bootstrapText() + programSet(hostPrograms(), "debian"),
      packagesSet({
        family: "debian",
        server: "nix-serve",
        nixpkgs: "github:NixOS/nixpkgs/nixos-26.05",
      }),
      keysSet({ secretKey: nixSecretKey(name), publicKey: nixPublicKey(name) }),
      serverSet(server()),
      siteSet(site()),
    ]);
  });
});

describe("a host is changed", () => {
  test("as root", () => {
    expect(inputs(plainCache, "create")).toEqual([
      `bash -s -- ${OWNER}`,
      `${SET} apply packages ${OWNER}`,
      `${SET} apply keys ${OWNER}`,
      `${SET} apply server ${OWNER}`,
      `${SET} apply site ${OWNER}`,
    ]);
    expect(inputs(plainCache, "delete")).toEqual([
      `[ ! -x ${SET} ] || ${SET} remove-all ${OWNER}`,
      `[ ! -x ${SET} ] || ${SET} remove packages ${OWNER}`,
      `[ ! -x ${SET} ] || ${SET} remove keys ${OWNER}`,
      `[ ! -x ${SET} ] || ${SET} remove server ${OWNER}`,
      `[ ! -x ${SET} ] || ${SET} remove site ${OWNER}`,
    ]);
  });

  test("in the name of itself, which is what the host then belongs to", async () => {
    const recorder = await deploy(accepted(TWO_HOSTS));
    const owner = "--owner nix-binary-cache/dev/other.local";
    expect(inputs(recorder, "create", "other.local")).toEqual([
      `bash -s -- ${owner}`,
      ...STEPS.slice(1).map((step) => `${SET} apply ${step} ${owner}`),
    ]);
    expect(inputs(recorder, "delete", "other.local")).toEqual([
      `[ ! -x ${SET} ] || ${SET} remove-all ${owner}`,
      ...STEPS.slice(1).map((step) => `[ ! -x ${SET} ] || ${SET} remove ${step} ${owner}`),
    ]);
  });

  const withSudo = [
    [
      `sudo -n bash -s -- ${OWNER}`,
      `sudo -n ${SET} apply packages ${OWNER}`,
      `sudo -n ${SET} apply keys ${OWNER}`,
      `sudo -n ${SET} apply server ${OWNER}`,
      `sudo -n ${SET} apply site ${OWNER}`,
    ],
    [
      `[ ! -x ${SET} ] || sudo -n ${SET} remove-all ${OWNER}`,
      `[ ! -x ${SET} ] || sudo -n ${SET} remove packages ${OWNER}`,
      `[ ! -x ${SET} ] || sudo -n ${SET} remove keys ${OWNER}`,
      `[ ! -x ${SET} ] || sudo -n ${SET} remove server ${OWNER}`,
      `[ ! -x ${SET} ] || sudo -n ${SET} remove site ${OWNER}`,
    ],
  ];

  test("by sudo, which may not ask, as another user", async () => {
    const recorder = await deploy(configurationOf({ user: "amoon" }));
    expect([inputs(recorder, "create"), inputs(recorder, "delete")]).toEqual(withSudo);
  });

  test("by sudo when it is the machine itself and Pulumi does not run as root", async () => {
    jest.spyOn(process, "getuid").mockReturnValue(1000);
    const recorder = await deploy(accepted({ hosts: [LOCAL] }));
    expect([inputs(recorder, "create"), inputs(recorder, "delete")]).toEqual(withSudo);
  });

  test("without sudo when it is the machine itself and Pulumi runs as root", async () => {
    jest.spyOn(process, "getuid").mockReturnValue(0);
    const recorder = await deploy(accepted({ hosts: [LOCAL] }));
    expect(inputs(recorder, "create")).toEqual([
      `bash -s -- ${OWNER}`,
      `${SET} apply packages ${OWNER}`,
      `${SET} apply keys ${OWNER}`,
      `${SET} apply server ${OWNER}`,
      `${SET} apply site ${OWNER}`,
    ]);
  });

  test("with files taken over and everything run again, where that is asked for", async () => {
    const recorder = await deploy(configurationOf({ adopt: true, run: 3 }));
    expect(inputs(recorder, "create")).toEqual([
      `bash -s -- ${OWNER} --run 3`,
      `${SET} apply packages ${OWNER} --run 3 --adopt`,
      // A key that somebody trusts is not taken over.
      `${SET} apply keys ${OWNER} --run 3`,
      `${SET} apply server ${OWNER} --run 3 --adopt`,
      `${SET} apply site ${OWNER} --run 3 --adopt`,
    ]);
    expect(inputs(recorder, "delete")).toEqual(inputs(plainCache, "delete"));
  });

  test("step by step, each begun when the one before has ended", async () => {
    const recorder = await deploy(configurationOf(), { slowness: 15 });
    const events = recorder.events.filter((event) => !event.endsWith("cachy.local-1"));
    expect(events).toEqual(
      STEPS.flatMap((step) => [`begin cachy.local-${step}`, `end cachy.local-${step}`]),
    );
    const { events: all } = recorder;
    expect(all.indexOf("end cachy.local-1")).toBeLessThan(all.indexOf("begin cachy.local-keys"));
  });

  test("while another host is", async () => {
    const { events } = await deploy(accepted(TWO_HOSTS), { slowness: 15 });
    expect(events.indexOf("begin other.local-program")).toBeLessThan(
      events.indexOf("end cachy.local-program"),
    );
    expect(events.indexOf("begin cachy.local-site")).toBeLessThan(
      events.indexOf("end other.local-site"),
    );
  });

  test("after it was waited for, as long as the configuration says", async () => {
    const { options } = plainCache.only("cachy.local-program");
    expect(options.timeouts).toEqual(["720s", "720s", ""]);
    const patient = await deploy(configurationOf({ waitSeconds: 600 }));
    expect(patient.only("cachy.local-program").options.timeouts).toEqual(["1200s", "1200s", ""]);
    // The provider's first ten attempts take about 11 s, each further one 5 s and 5 s to connect.
    expect([1, 11, 12, 21, 22, 120, 600].map(attemptsWithin)).toEqual([10, 10, 11, 11, 12, 21, 69]);
  });

  test("and its steps go with the first one, whose removal undoes them all", () => {
    const options = STEPS.map((step) => plainCache.only(`cachy.local-${step}`).options);
    expect(options.map(({ deletedWith }) => deletedWith)).toEqual([
      "",
      ...["packages", "keys", "server", "site"].map(() => "cachy.local-program"),
    ]);
    expect(options.map(({ dependsOn }) => dependsOn)).toEqual([
      [],
      ["cachy.local-program"],
      ["cachy.local-1", "cachy.local-program"],
      ["cachy.local-program"],
      ["cachy.local-program"],
    ]);
    const orders = ["HostPackages", "SigningKeyFiles", "CacheServer", "NginxSite"].map(
      (component, index) =>
        plainCache.only(`cachy.local-${STEPS[index + 1]}`, `nixcache:index:${component}`).options,
    );
    expect(orders.map(({ dependsOn }) => dependsOn)).toEqual([
      [],
      ["cachy.local-packages"],
      ["cachy.local-keys"],
      ["cachy.local-server"],
    ]);
    expect(
      options.map(({ retainOnDelete, ignoreChanges }) => [retainOnDelete, ignoreChanges]),
    ).toEqual(STEPS.map(() => [false, []]));
  });
});

describe("a host that is lost", () => {
  test("is never spoken to again", async () => {
    const recorder = await deploy(configurationOf({ lost: true }));
    expect(
      recorder.commands.map(({ options }) => [options.retainOnDelete, options.ignoreChanges]),
    ).toEqual(STEPS.map(() => [true, ["create", "delete", "stdin", "connection"]]));
  });

  test("is not told to clients, the others are", async () => {
    const hosts = [
      { ...HOST, lost: true },
      { ...HOST, name: "other.local" },
    ];
    const recorder = await record();
    const cache = new BinaryCache("binary-cache", accepted({ ...TWO_HOSTS, hosts }));
    const module = valueOf(cache.clientModule);
    await recorder.settle();
    expect(cache.cacheUrl).toBe("http://other.local");
    expect(cache.hosts).toEqual([
      { name: "other.local", url: "http://other.local", server: "nix-serve" },
    ]);
    expect(cache.substituters).toEqual(["http://other.local?priority=30"]);
    expect(await module).not.toContain("cachy.local?");
    expect(await module).toContain("http://other.local?priority=30");
  });

  test("leaves no address when it was the only one", async () => {
    const recorder = await record();
    const cache = new BinaryCache("binary-cache", configurationOf({ lost: true }));
    await recorder.settle();
    expect([cache.cacheUrl, cache.hosts, cache.substituters]).toEqual([undefined, [], []]);
  });
});

describe("a host key that is trusted on first use", () => {
  const tofu = { hostKey: undefined, trustOnFirstUse: true, address: "10.0.0.1", port: 2222 };
  const asked = "ssh-ed25519 AAAAasked";

  test("is asked for by a command of its own, once, and its answer is pinned", async () => {
    const recorder = await deploy(configurationOf(tofu), { stdout: asked });
    const {
      inputs: question,
      options,
      parent,
    } = recorder.only("cachy.local-host-key", "command:local:Command");
    expect(question).toEqual({
      create: "bash -s -- 10.0.0.1 2222 120",
      stdin: readFileSync(join(__dirname, "../../components/remote/ask-host-key"), "utf8"),
      logging: "none",
      addPreviousOutputInEnv: false,
    });
    expect(options.ignoreChanges).toEqual(["create", "stdin"]);
    expect(parent).toBe(recorder.only("cachy.local", "nixcache:index:CacheHost").urn);
    expect(inputs(recorder, "connection")).toMatchObject(STEPS.map(() => ({ hostKey: asked })));
    expect(recorder.commands).toHaveLength(6);
  });

  test("is not asked for where it is given", () => {
    expect(plainCache.commands.map(({ name }) => name)).not.toContain("cachy.local-host-key");
  });
});

describe("a signing key", () => {
  test("is generated as ed25519 and protected", () => {
    const key = plainCache.only("cachy.local-1", "tls:index/privateKey:PrivateKey");
    expect(key.inputs).toEqual({ algorithm: "ED25519" });
    expect(key.options.protect).toBe(true);
  });

  test("reaches a host on stdin, as a secret, and what the command prints is one too", () => {
    const keys = plainCache.only("cachy.local-keys");
    expect([...keys.secretInputs].sort()).toEqual(["connection", "stdin"]);
    expect([...keys.options.additionalSecretOutputs].sort()).toEqual([
      "connection",
      "stderr",
      "stdout",
    ]);
    const others = plainCache.commands.filter(({ name }) => name !== "cachy.local-keys");
    expect(others.map(({ secretInputs }) => secretInputs)).toEqual(
      others.map(() => ["connection"]),
    );
  });

  test.each([
    ["generated", { name: "cachy.local-1" }],
    ["imported", { name: "cachy.local-1", secretKey: nixSecretKey("cachy.local-1") }],
  ])("that is %s stands in no other text", async (_, signingKey) => {
    const recorder = await record();
    const configuration = configurationOf({}, { signingKeys: [signingKey], upstreams: [UPSTREAM] });
    const cache = new BinaryCache("binary-cache", configuration);
    const [module, publicKeys] = [valueOf(cache.clientModule), valueOf(cache.publicKeys)];
    await recorder.settle();
    const { registered, outputs } = recorder;
    const holders = registered.filter((each) => holdsKey(JSON.stringify(each)));
    expect(holders.map(({ name }) => name)).toEqual(["cachy.local-keys"]);
    expect(holders[0]?.inputs["stdin"]).toContain(nixSecretKey("cachy.local-1"));
    expect(holdsKey(JSON.stringify([outputs, await module, await publicKeys]))).toBe(false);
    // The test itself would see a key.
    expect(holdsKey(nixSecretKey("cachy.local-1"))).toBe(true);
    expect(holdsKey(pemOf("cachy.local-1"))).toBe(true);
  });

  /** The seed begins on another byte of the base 64 in Nix's format than in a PEM. */
  function holdsKey(text: string): boolean {
    const seed = seedOf("cachy.local-1");
    const spellings = [0, 1, 2].map((skipped) =>
      seed.subarray(skipped, skipped + 24).toString("base64"),
    );
    return (
      spellings.some((spelling) => text.includes(spelling)) || text.includes(seed.toString("hex"))
    );
  }

  test("is shared by all hosts", async () => {
    const recorder = await deploy(accepted(TWO_HOSTS));
    const [first, second] = ["cachy.local", "other.local"].map(
      (host) => recorder.only(`${host}-keys`).inputs["stdin"],
    );
    const name = "cachy.local-1";
    expect(first).toBe(keysSet({ secretKey: nixSecretKey(name), publicKey: nixPublicKey(name) }));
    expect(second).toBe(first);
    expect(recorder.registered.filter(({ type }) => type.startsWith("tls:"))).toHaveLength(1);
  });

  test("is one of several: clients trust all, servers sign with the one that is named", async () => {
    const signingKeys = [{ name: "cachy.local-1" }, { name: "cachy.local-2" }];
    const recorder = await record();
    const cache = new BinaryCache(
      "binary-cache",
      configurationOf({}, { signingKeys, signWith: "cachy.local-2" }),
    );
    const publicKeys = valueOf(cache.publicKeys);
    await recorder.settle();
    expect(await publicKeys).toEqual([
      nixPublicKey("cachy.local-1"),
      nixPublicKey("cachy.local-2"),
    ]);
    expect(inputs(recorder, "stdin").slice(2)).toEqual([
      keysSet({
        secretKey: nixSecretKey("cachy.local-2"),
        publicKey: nixPublicKey("cachy.local-2"),
      }),
      serverSet(server()),
      siteSet(site()),
    ]);
  });

  test.each([
    ["generated", { name: "cachy.local-1" }],
    ["imported", { name: "cachy.local-1", secretKey: nixSecretKey("cachy.local-1") }],
  ])("that is %s shows its public half to everybody", async (_, signingKey) => {
    const recorder = await record();
    const configuration = configurationOf({}, { signingKeys: [signingKey] });
    const cache = new BinaryCache("binary-cache", configuration);
    const secrecy = [pulumi.isSecret(cache.publicKeys), pulumi.isSecret(cache.clientModule)];
    await recorder.settle();
    expect(await Promise.all(secrecy)).toEqual([false, false]);
    const { urn } = recorder.only("cachy.local-1", "nixcache:index:SigningKey");
    expect(recorder.outputs.find((each) => each.urn === urn)?.outputs).toEqual({
      publicKey: nixPublicKey("cachy.local-1"),
    });
  });

  test("is secret even if the provider that made it does not say so", async () => {
    const recorder = await record({ marksSecrets: false });
    const { secretKey } = new SigningKey({ name: "cachy.local-1" }, {});
    const secrecy = pulumi.isSecret(secretKey);
    await recorder.settle();
    expect(await secrecy).toBe(true);
  });

  test("stays secret on its way to a host, whatever it was before", async () => {
    const recorder = await record();
    const [host] = configurationOf().hosts;
    if (host === undefined) throw new Error("there is no host");
    const parent = new pulumi.ComponentResource("nixcache:index:Test", "test");
    new ManagedHost(host, parent).apply("keys", "a plain text", { parent, secret: true });
    await recorder.settle();
    expect(recorder.only("cachy.local-keys").inputs["stdin"]).toBe("a plain text");
    expect([...recorder.only("cachy.local-keys").secretInputs].sort()).toEqual([
      "connection",
      "stdin",
    ]);
  });
});

test("the client module is made of all caches, keys and upstreams", async () => {
  const client = { connectTimeout: 3, stalledDownloadTimeout: 20, fallback: false };
  const upstreams = [UPSTREAM];
  const hosts = [HOST, { ...HOST, name: "other.local", domain: "cache.example.org" }];
  const recorder = await record();
  const cache = new BinaryCache(
    "binary-cache",
    accepted({ ...TWO_HOSTS, hosts, priority: 20, client, upstreams }),
  );
  const module = valueOf(cache.clientModule);
  await recorder.settle();
  expect(await module).toBe(
    clientModule({
      caches: [
        { url: "http://cachy.local", priority: 20 },
        { url: "http://cache.example.org", priority: 20 },
      ],
      publicKeys: [nixPublicKey("cachy.local-1")],
      upstreams,
      client,
    }),
  );
  expect(cache.substituters).toEqual([
    "http://cachy.local?priority=20",
    "http://cache.example.org?priority=20",
    "https://cache.nixos.org/",
  ]);
});

test("the same configuration makes the same commands", async () => {
  const [one, other] = [await deploy(configurationOf()), await deploy(configurationOf())];
  const sorted = (recorder: Recorder): unknown =>
    STEPS.map((step) => recorder.only(`cachy.local-${step}`));
  expect(sorted(one)).toEqual(sorted(other));
});

test("the programs of a host are files of host/, each as executable as it says itself", () => {
  const programs = hostPrograms();
  expect(programs.map(({ name }) => name)).toEqual(programs.map(({ name }) => name).sort());
  expect(programs.map(({ name }) => name)).not.toContain("bootstrap");
  for (const { name, text, executable } of programs) {
    expect([name, executable]).toEqual([name, text.startsWith("#!/usr/bin/env bash\n")]);
    expect([name, text.endsWith("\n")]).toEqual([name, true]);
  }
});
