import { generateKeyPairSync } from "node:crypto";
import { linkSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { join, relative } from "node:path";

import { type Environment, type HostConnection, machineEnvironment } from "../../config/connection";
import { run, temporaryDirectory } from "./support/processes";
import { accepted, HOST, HOST_KEY, LOGIN_KEY, machine, pemOf, problemsOf } from "./support/samples";

type Input = Readonly<Record<string, unknown>>;

const directory = temporaryDirectory();

const AGENT = "/run/user/1000/agent";
const NO_KEY =
  "privateKeyFile: missing, and no ssh-agent is running; accepted: privateKeyFile, privateKey as a secret, or an agent in SSH_AUTH_SOCK";
const LOCKED =
  "privateKeyPassword: missing, and the private key is locked by one; accepted: the password, as a secret";
const STALE =
  "hosts[0]: SSH_AUTH_SOCK names /run/user/1000/agent, where no ssh-agent listens, and the command provider would fail on it; run 'unset SSH_AUTH_SOCK' (or start an agent) and try again";

function problems(changes: Input, environment?: Environment): string[] {
  return problemsOf({ hosts: [{ ...HOST, ...changes }] }, environment);
}

function connection(changes: Input, environment?: Environment): HostConnection | undefined {
  return accepted({ hosts: [{ ...HOST, ...changes }] }, environment).hosts[0]?.connection;
}

/** A machine whose files are all that text. */
function files(text: string): Environment {
  return machine({ readFile: () => text });
}

/** A private key as ssh-keygen writes it. */
function keygen(password: string, ...words: readonly string[]): string {
  const path = join(directory, `key-${words.join("-")}-${password}`);
  const finished = run("ssh-keygen", ["-q", "-N", password, "-f", path, "-t", ...words]);
  expect(finished).toEqual({ status: 0, stdout: "", stderr: "" });
  return readFileSync(path, "utf8");
}

function pem(type: "pkcs8" | "sec1", password?: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const locked = password === undefined ? {} : { cipher: "aes-128-cbc", passphrase: password };
  return privateKey.export({ format: "pem", type, ...locked }).toString();
}

/** The armour of an OpenSSH key around some bytes. */
function armoured(bytes: string): string {
  const body = Buffer.from(bytes, "latin1").toString("base64");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

describe("a private key", () => {
  const usable: readonly (readonly [string, () => string])[] = [
    ["of OpenSSH", () => keygen("", "ed25519")],
    ["of OpenSSH for ecdsa", () => keygen("", "ecdsa")],
    ["in PKCS#8, as tls.PrivateKey makes it", () => pemOf("login")],
    ["of an elliptic curve in PEM", () => pem("sec1")],
    ["of RSA in PEM", () => keygen("", "rsa", "-b", "2048", "-m", "PEM")],
  ];
  test.each(usable)("%s is accepted", (_, make) => {
    const key = make();
    const ssh = connection({}, files(key));
    expect(ssh?.kind === "ssh" ? ssh.endpoint.privateKey?.reveal() : undefined).toBe(key);
  });

  const locked: readonly (readonly [string, () => string])[] = [
    ["of OpenSSH", () => keygen("password", "ed25519")],
    ["of an elliptic curve in PEM", () => pem("sec1", "password")],
  ];
  test.each(locked)("%s that is locked needs its password", (_, make) => {
    const key = make();
    expect(problems({}, files(key))).toEqual([`hosts[0].${LOCKED}`]);
    const ssh = connection({ privateKeyPassword: "password" }, files(key));
    expect(ssh?.kind === "ssh" ? ssh.endpoint.privateKeyPassword?.reveal() : undefined).toBe(
      "password",
    );
  });

  test("of PKCS#8 that is locked is refused, since the command provider cannot unlock it", () => {
    const environment = files(pem("pkcs8", "password"));
    const problem =
      "hosts[0].privateKeyFile: is a PKCS#8 key locked by a password, which the command provider cannot unlock; accepted: an OpenSSH private key, with a password or without";
    expect(problems({}, environment)).toEqual([problem]);
    expect(problems({ privateKeyPassword: "password" }, environment)).toEqual([problem]);
  });

  test("that is not locked is refused with a password, which the command provider would try", () => {
    expect(problems({ privateKeyPassword: "password" })).toEqual([
      "hosts[0].privateKeyPassword: given, but the private key is not locked; accepted: no password",
    ]);
  });

  const garbage: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["a public key", HOST_KEY],
    ["a certificate", LOGIN_KEY.replaceAll("PRIVATE KEY", "CERTIFICATE")],
    ["a key without its end", LOGIN_KEY.slice(0, 60)],
    ["an OpenSSH key of other bytes", armoured("nonsense")],
    ["an OpenSSH key with nothing behind its magic", armoured("openssh-key-v1\0")],
    ["an OpenSSH key that is cut short", armoured("openssh-key-v1\0\0\0\0\x04none")],
    ["a PEM key of other bytes", LOGIN_KEY.replace("MC4CAQ", "AAAAAA")],
  ];
  test.each(garbage)("is refused when it is %s", (_, text) => {
    const wanted = "is not a private key; accepted: an OpenSSH or PEM private key";
    expect(problems({}, files(text))).toEqual([`hosts[0].privateKeyFile: ${wanted}`]);
  });

  test.each(garbage.slice(1))("is refused as a secret when it is %s", (_, text) => {
    expect(problems({ privateKeyFile: undefined, privateKey: text })).toEqual([
      "hosts[0].privateKey: [secret] is not valid; accepted: a private key in OpenSSH or PEM format, as a secret",
    ]);
  });

  test("is refused when its file cannot be read, with the reason", () => {
    const failing = (error: Error): Environment =>
      machine({
        readFile: () => {
          throw error;
        },
      });
    const path = 'hosts[0].privateKeyFile: "~/.ssh/id_ed25519" cannot be read';
    const wanted = "accepted: the path of a private key file";
    const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
    expect(problems({}, failing(missing))).toEqual([`${path} (ENOENT); ${wanted}`]);
    expect(problems({}, failing(new Error("strange")))).toEqual([
      `${path} (Error: strange); ${wanted}`,
    ]);
  });

  test("of a bastion is read and checked like that of the host", () => {
    const bastion = { address: "gate.local", hostKey: HOST_KEY, privateKeyFile: "gate" };
    const environment = machine({ readFile: (path) => (path === "gate" ? "x" : LOGIN_KEY) });
    expect(problems({ bastion }, environment)).toEqual([
      "hosts[0].bastion.privateKeyFile: is not a private key; accepted: an OpenSSH or PEM private key",
    ]);
    const ssh = connection({ bastion: { ...bastion, port: 2222, user: "jump" } });
    expect(ssh?.kind === "ssh" ? ssh.bastion : undefined).toEqual({
      address: "gate.local",
      port: 2222,
      user: "jump",
      hostKey: HOST_KEY,
      privateKey: ssh?.kind === "ssh" ? ssh.endpoint.privateKey : undefined,
    });
  });

  test("is asked for of all hosts and bastions at once, beside whatever else is wrong", () => {
    const bastion = { address: "gate.local", hostKey: HOST_KEY };
    const hosts = [
      { ...HOST, privateKeyFile: undefined, bastion },
      { ...HOST, name: "other.local", privateKeyFile: undefined, workers: 4, server: "none" },
    ];
    expect(problemsOf({ hosts, signingKeys: [{ name: "cachy.local-1" }] })).toEqual([
      "hosts[1].workers: 4 has no meaning with 'server: none'; accepted: no workers, or nix-serve or harmonia as server",
      `hosts[0].${NO_KEY}`,
      `hosts[0].bastion.${NO_KEY}`,
      `hosts[1].${NO_KEY}`,
    ]);
  });
});

describe("an ssh-agent", () => {
  const running = machine({ agentSocket: AGENT, isListening: (socket) => socket === AGENT });
  const stale = machine({ agentSocket: AGENT, isListening: () => false });

  test("stands in for a private key", () => {
    expect(connection({ privateKeyFile: undefined }, running)).toEqual({
      kind: "ssh",
      endpoint: { address: "cachy.local", port: 22, user: "root", hostKey: HOST_KEY },
      waitSeconds: 120,
    });
  });

  test("that is not running does not", () => {
    expect(problems({ privateKeyFile: undefined })).toEqual([`hosts[0].${NO_KEY}`]);
  });

  test("of which only the socket is left is refused even beside a private key", () => {
    expect(problems({}, stale)).toEqual([STALE]);
  });

  test("does not matter to the machine itself", () => {
    const host = { name: "cachy.local", distribution: "arch", connection: "local" };
    expect(accepted({ hosts: [host] }, stale).hosts[0]?.connection).toEqual({ kind: "local" });
  });
});

describe("on the machine that Pulumi runs on", () => {
  let server: Server;
  const socket = join(directory, "agent");

  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    linkSync(socket, join(directory, "renamed"));
    symlinkSync(socket, join(directory, "link"));
    writeFileSync(join(directory, "file"), "");
  });
  afterAll(() => {
    server.close();
  });

  test("an agent is seen to listen", () => {
    expect(machineEnvironment.isListening(socket)).toBe(true);
  });

  test("an agent is seen to listen behind a link, as tmux users have it", () => {
    expect(machineEnvironment.isListening(join(directory, "link"))).toBe(true);
  });

  test("a socket that nobody listens on any more is stale", async () => {
    const left = join(directory, "left");
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(join(directory, "gone"), resolve));
    linkSync(join(directory, "gone"), left);
    await new Promise((resolve) => other.close(resolve));
    expect(machineEnvironment.isListening(left)).toBe(false);
  });

  test("a file that is no socket, and none at all, are stale", () => {
    expect(machineEnvironment.isListening(join(directory, "file"))).toBe(false);
    expect(machineEnvironment.isListening(join(directory, "nothing"))).toBe(false);
  });

  test("a file is read, also below the home directory", () => {
    const path = join(directory, "file");
    writeFileSync(path, "text");
    expect(machineEnvironment.readFile(path)).toBe("text");
    expect(machineEnvironment.readFile(`~/${relative(homedir(), path)}`)).toBe("text");
    expect(() => machineEnvironment.readFile("~nobody/file")).toThrow("ENOENT");
  });
});
