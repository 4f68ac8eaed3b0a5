import "./support/withoutAgent";

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { loadConfiguration } from "../../config/load";
import { schema } from "../../config/schema";
import type * as Program from "../../index";
import { PROJECT, record, valueOf } from "./support/mocks";
import { temporaryDirectory } from "./support/processes";
import {
  accepted,
  HOST,
  HOST_KEY,
  LOGIN_KEY,
  machine,
  nixPublicKey,
  nixSecretKey,
  UPSTREAM,
} from "./support/samples";

type Values = Readonly<Record<string, unknown>>;

const ROOT = join(__dirname, "..", "..");
const work = temporaryDirectory();

function readYaml(name: string): Values {
  return parse(readFileSync(join(ROOT, name), "utf8")) as Values;
}

/** Sets the stack's configuration as the engine hands it on: text as it is, all else as JSON. */
function setConfiguration(values: Values): void {
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key.includes(":") ? key : `${PROJECT}:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
}

/** The error that loading the configuration ends with. */
function refusal(values: Values): unknown {
  setConfiguration(values);
  try {
    loadConfiguration(machine());
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("the configuration of a stack", () => {
  beforeEach(async () => {
    await record();
  });

  test("is read from all kinds of values", () => {
    const values = {
      hosts: [HOST],
      signingKeys: [{ name: "cachy.local-7" }],
      signWith: "cachy.local-7",
      nixpkgs: "nixpkgs",
      priority: 10,
      upstreams: [UPSTREAM],
      clients: [{ name: "deadbeef" }],
      client: { fallback: false },
    };
    setConfiguration(values);
    expect(loadConfiguration(machine())).toEqual(accepted(values));
  });

  test("of other namespaces is left alone", () => {
    setConfiguration({ hosts: [HOST], "aws:region": "x", "nix-binary-cache-too:hosts": "x" });
    expect(loadConfiguration(machine()).hosts).toHaveLength(1);
  });

  test("is refused for one problem with one line", () => {
    const error = refusal({ hosts: [{ ...HOST, port: 0 }] });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error).toHaveProperty(
      "message",
      `The configuration of stack dev has a problem; nothing was changed:
  nix-binary-cache:hosts[0].port: 0 is not valid; accepted: a port number from 1 to 65535`,
    );
  });

  test("is refused for several problems with one error, which holds no secret", () => {
    const error = refusal({
      hosts: [{ ...HOST, hostKey: undefined, privateKeyPassword: 5 }, HOST],
      signingKeys: [{ name: "cachy", secretKey: "hunter2" }],
      priority: "high",
      nixpkgs: "{broken",
      prioriti: 5,
    });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error).toHaveProperty(
      "message",
      `The configuration of stack dev has 7 problems; nothing was changed:
  nix-binary-cache:hosts[0].privateKeyPassword: [secret] is not valid; accepted: a password, as a secret
  nix-binary-cache:signingKeys[0].secretKey: [secret] is not valid; accepted: a Nix secret key, NAME:BASE64 of 64 bytes, as 'nix-store --generate-binary-cache-key' writes it
  nix-binary-cache:nixpkgs: "{broken" is not valid; accepted: a flake reference without '#' and quotes, such as github:NixOS/nixpkgs/nixos-26.05 or github:NixOS/nixpkgs/REVISION
  nix-binary-cache:priority: "high" is not valid; accepted: a number from 0 to 1000; lower is asked first
  nix-binary-cache:prioriti: unknown key; look for a typing error, docs/configuration.md lists all keys
  nix-binary-cache:hosts[1].name: "cachy.local" is that of hosts[0] too; accepted: a name of its own for every host
  nix-binary-cache:hosts[0].hostKey: missing; accepted: the host's ed25519 or ecdsa public key (on the host: cat /etc/ssh/ssh_host_ed25519_key.pub), or trustOnFirstUse: true`,
    );
    expect(String(error)).not.toContain("hunter2");
  });

  test("is refused without any value", () => {
    expect(refusal({})).toHaveProperty(
      "message",
      `The configuration of stack dev has a problem; nothing was changed:
  nix-binary-cache:hosts: missing; accepted: a list of cache hosts; at least one`,
    );
  });
});

describe("Pulumi.yaml", () => {
  const project = readYaml("Pulumi.yaml");
  const declared = project["config"] as Readonly<Record<string, Values>>;
  const names = Object.keys(schema.shape);

  test("declares every key of the schema and no other", () => {
    expect(project["name"]).toBe(PROJECT);
    expect(Object.keys(declared)).toEqual(names);
  });

  test.each(names)("describes %s", (name) => {
    expect(declared[name]?.["description"]).toMatch(/^[A-Z].{20,}[.]$/s);
  });

  test("has the defaults of the schema", () => {
    const defaults = Object.fromEntries(
      Object.entries(schema.shape).map(([name, { def }]) => [
        name,
        "defaultValue" in def ? def.defaultValue : undefined,
      ]),
    );
    expect(Object.fromEntries(names.map((name) => [name, declared[name]?.["default"]]))).toEqual(
      defaults,
    );
    expect(names.filter((name) => defaults[name] === undefined)).toEqual(["hosts"]);
    const { hosts, ...rest } = defaults;
    expect(accepted({ hosts: [HOST], ...rest })).toEqual(accepted({ hosts: [HOST] }));
    expect(hosts).toBeUndefined();
  });

  test("states the types that the defaults have", () => {
    const types = names.map((name) => [name, declared[name]?.["type"]]);
    expect(types).toEqual([
      ["hosts", "array"],
      ["signingKeys", "array"],
      ["signWith", "string"],
      ["nixpkgs", "string"],
      ["priority", "integer"],
      ["upstreams", "array"],
      ["clients", "array"],
      ["client", "object"],
    ]);
  });
});

test("Pulumi.dev.yaml is a configuration that is accepted", () => {
  const { config } = readYaml("Pulumi.dev.yaml");
  const values = Object.fromEntries(
    Object.entries(config as Values).map(([key, value]) => [key.replace(`${PROJECT}:`, ""), value]),
  );
  const configuration = accepted(values);
  expect(configuration.hosts.map(({ name, family, server }) => [name, family, server])).toEqual([
    ["cachy.local", "arch", "nix-serve"],
  ]);
  expect(configuration.clients).toEqual([{ name: "deadbeef" }]);
});

describe("docs/configuration.md", () => {
  /** The keys in the first column of the table below a heading. */
  function documented(heading: string): string[] {
    const text = readFileSync(join(ROOT, "docs", "configuration.md"), "utf8");
    const [, below = ""] = text.split(new RegExp(`^#+ ${heading}.*$`, "m"));
    const [section = ""] = below.split(/^#/m);
    return [...section.matchAll(/^\| `([A-Za-z0-9]+)` \|/gm)].map(([, key = ""]) => key).sort();
  }

  const host = schema.shape.hosts.element.shape;
  test.each([
    ["The stack", schema.shape],
    ["A host", host],
    ["The nginx site", host.site.unwrap().shape],
    ["A signing key", schema.shape.signingKeys.unwrap().element.shape],
    ["An upstream", schema.shape.upstreams.unwrap().element.shape],
    ["The client module", schema.shape.client.unwrap().shape],
  ])("lists all keys below “%s”, as errors promise", (heading, shape) => {
    expect(documented(heading)).toEqual(Object.keys(shape).sort());
  });
});

describe("the program", () => {
  test("exports exactly what README promises", async () => {
    const keyFile = join(work, "key");
    writeFileSync(keyFile, LOGIN_KEY);
    const recorder = await record();
    setConfiguration({
      hosts: [
        { ...HOST, privateKeyFile: keyFile },
        { ...HOST, name: "other.local", privateKeyFile: keyFile, server: "harmonia" },
      ],
      signingKeys: [{ name: "cachy.local-1" }],
      upstreams: [UPSTREAM],
      clients: [{ name: "deadbeef" }, { name: "cafe" }],
    });
    const program = jest.requireActual<typeof Program>("../../index");
    const [module, publicKeys] = [valueOf(program.clientModule), valueOf(program.publicKeys)];
    await recorder.settle();
    expect(Object.keys(program).sort()).toEqual([
      "cacheUrl",
      "clientModule",
      "clients",
      "hosts",
      "publicKeys",
      "substituters",
    ]);
    expect(program.cacheUrl).toBe("http://cachy.local");
    expect(await publicKeys).toEqual([nixPublicKey("cachy.local-1")]);
    expect(program.substituters).toEqual([
      "http://cachy.local?priority=30",
      "http://other.local?priority=30",
      "https://cache.nixos.org/",
    ]);
    expect(program.hosts).toEqual([
      { name: "cachy.local", url: "http://cachy.local", server: "nix-serve" },
      { name: "other.local", url: "http://other.local", server: "harmonia" },
    ]);
    expect(program.clients).toEqual(["deadbeef", "cafe"]);
    expect(await module).toContain(nixPublicKey("cachy.local-1"));
    expect(await module).not.toContain(nixSecretKey("cachy.local-1").slice(-40));
    expect(recorder.commands.map(({ inputs }) => inputs["connection"])).toMatchObject(
      recorder.commands.map(() => ({ hostKey: HOST_KEY, privateKey: LOGIN_KEY })),
    );
    expect(recorder.commands).toHaveLength(10);
  });

  test("uses @pulumi/command 1.2.1 and not 4.5.0, an ancient misnumbered release", () => {
    const read = (path: string): Values =>
      JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Values;
    expect(read("package.json")["dependencies"]).toMatchObject({ "@pulumi/command": "1.2.1" });
    expect(read("node_modules/@pulumi/command/package.json")["version"]).toBe("1.2.1");
    expect(typeof command.remote.CopyToRemote).toBe("function");
  });
});
