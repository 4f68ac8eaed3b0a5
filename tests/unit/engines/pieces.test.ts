import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import {
  formatPropertyPath,
  ignoreChanges,
  parsePropertyPath,
} from "../../../lab/engines/inprocess/propertyPath";
import {
  checkConnection,
  parseHostKey,
  readConnection,
} from "../../../lab/engines/inprocess/providers/connection";
import { privateKeyFile, publicKeyLine } from "../../../lab/engines/inprocess/providers/opensshKey";
import { writeSshFiles } from "../../../lab/engines/inprocess/providers/sshFiles";
import { parseDuration } from "../../../lab/engines/inprocess/registration";
import { lineDifference } from "../../../lab/engines/inprocess/textDifference";
import { maskSecrets, secretTexts } from "../../../lab/engines/secretPaths";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "engine pieces-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a pinned host key", () => {
  test.each([hostKey, `${hostKey} root@cachy`, `cachy.local ${hostKey}\n`])("%j", (text) => {
    expect(parseHostKey(text)).toEqual({
      type: "ssh-ed25519",
      base64: "AAAAC3NzaC1lZDI1NTE5AAAAIAAA",
    });
  });

  test("is refused when the real provider could not use it", () => {
    expect(() => parseHostKey("SHA256:abc")).toThrow("failed to parse host key: ssh: no key found");
    expect(() => parseHostKey("ssh-rsa AAAA")).toThrow("no common algorithm for host key");
  });
});

describe("a connection", () => {
  const connection = { host: "10.0.0.2", port: 22, privateKey: "the key itself", hostKey };

  test("goes to the lab and to this machine only", () => {
    expect(checkConnection({ connection }, ["10.0.0.2"])).toEqual([]);
    expect(checkConnection({ connection: { ...connection, host: "127.0.0.1" } }, [])).toEqual([]);
    expect(checkConnection({ connection }, [])).toEqual([
      expect.stringContaining("logs in to lab hosts only; 10.0.0.2 is none"),
    ]);
    const proxy = { ...connection, host: "10.0.0.3" };
    expect(checkConnection({ connection: { ...connection, proxy } }, ["10.0.0.2"])).toHaveLength(1);
  });

  test("that is malformed is refused without a word of its key", () => {
    const wrong = { ...connection, host: 5, port: "22", hostKey: 7, password: "open sesame" };
    const failures = checkConnection({ connection: wrong }, ["10.0.0.2"]);
    expect(failures).toHaveLength(4);
    expect(failures.join()).not.toMatch(/the key itself|open sesame/);
    expect(() => readConnection({ connection })).toThrow(/^(?!.*the key itself)/);
  });

  test("becomes an ssh configuration that ssh reads as it is meant", () => {
    const key = privateKeyFile(generateKeyPairSync("ed25519").privateKey);
    const proxy = { ...connection, host: "10.0.0.3", port: 2222, privateKey: key };
    const read = readConnection({ connection: { ...connection, privateKey: key, proxy } });
    const { configuration } = writeSshFiles(read, ["LANG"], path.join(directory, "it's 100%"));
    const options = (alias: string): string =>
      execFileSync("ssh", ["-G", "-F", configuration, alias], { encoding: "utf8" });

    const target = options("target");
    expect(target).toMatch(/^hostname 10\.0\.0\.2$/m);
    expect(target).toMatch(/^stricthostkeychecking (true|yes)$/m);
    expect(target).toMatch(/^hostkeyalgorithms ssh-ed25519$/m);
    expect(target).toMatch(/^proxycommand ssh .* -W \[%h\]:%p proxy$/m);
    expect(target).toMatch(/^sendenv LANG$/m);
    expect(options("proxy")).toMatch(/^port 2222$/m);
    expect(options("proxy")).not.toMatch(/^proxycommand ssh/m);
  });
});

test.each([
  ["ed25519", generateKeyPairSync("ed25519").privateKey],
  ["ecdsa", generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey],
  ["rsa", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
])("OpenSSH reads the %s keys that are written", (name, key) => {
  const file = path.join(directory, name);
  writeFileSync(file, privateKeyFile(key), { mode: 0o600 });

  const derived = execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
  expect(derived.trim()).toBe(publicKeyLine(key).line.trim());
  const print = execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
  expect(print).toContain(publicKeyLine(key).sha256);
});

test("a line difference shows what changes, with a little around it", () => {
  const before = ["one", "two", "three", "four", "five", "six", "seven"];
  const after = ["one", "two", "three", "four", "FIVE", "six", "seven", "eight"];

  expect(lineDifference(before.join("\n"), after.join("\n"))).toEqual([
    "  ...",
    "  three",
    "  four",
    "- five",
    "+ FIVE",
    "  six",
    "  seven",
    "+ eight",
  ]);
});

test("property paths read as resource options spell them", () => {
  expect(parsePropertyPath('environment["A.B"][0].c[*]')).toEqual([
    ...["environment", "A.B", 0, "c", "*"],
  ]);
  expect(formatPropertyPath(["environment", "A.B", 0, "c"])).toBe('environment["A.B"][0].c');
  expect(
    ignoreChanges({ a: { b: 2, c: 2 }, t: [2, 2] }, { a: { b: 1 }, t: [1] }, ["a.b", "t[*]", "x"]),
  ).toEqual({ a: { b: 1, c: 2 }, t: [1, 2] });
});

test("durations read as Go writes them", () => {
  expect(parseDuration("1h30m")).toBe(5_400_000);
  expect(parseDuration("1.5s")).toBe(1500);
  expect(parseDuration("")).toBeUndefined();
});

test("secrets are found below their keys and hidden wherever they show", () => {
  const configuration = {
    values: { token: "abcdef", hosts: [{ name: "cachy", password: 'qu"ote' }], open: "abc" },
    secretKeys: ["token", "hosts[0].password"],
  };

  expect(secretTexts(configuration).map(({ text }) => text)).toEqual(["abcdef", 'qu"ote']);
  expect(maskSecrets(configuration, 'abcdef cachy qu"ote "qu\\"ote" abc')).toBe(
    '[secret] cachy [secret] "[secret]" abc',
  );
});
