import type { Engine, Result } from "../../lab/engines/engine";
import { installNix, useClientModule } from "../../lab/client";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, stackConfiguration } from "../../lab/provision";
import { newStack, up } from "./support/stack";

jest.setTimeout(180_000);

describe("the signing key", () => {
  let lab: Lab;
  let cachy: LabHost;
  let engine: Engine;
  let first: Result;
  /** The secret half as it stands in the key file, without the name. */
  let secret: string;
  const configuration = (workers: number): ReturnType<typeof stackConfiguration> =>
    stackConfiguration([hostValues(cachy, { workers })]);

  beforeAll(async () => {
    lab = await Lab.open({ name: "secrets" });
    cachy = await lab.host({ name: "cachy", distribution: "debian" });
    engine = await newStack(lab, [cachy]);
    // What any process of the host shows of itself while the program is at work.
    await cachy.must(
      'systemd-run --quiet --unit=watcher bash -c \'umask 077; while :; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\\\0" "\\\\n" | sort -u; done | awk "!seen[\\$0]++" > /root/watched\'',
    );
    first = await up(engine, configuration(4));
    await up(engine, configuration(2));
    await cachy.must("systemctl stop watcher");
    secret = (await cachy.must("cut -d: -f2 /var/lib/nix-serve/cache-priv-key.pem")).trim();
  });
  afterAll(() => lab.close());

  test("is one: the search for it finds it where it must be", () => {
    expect(Buffer.from(secret, "base64")).toHaveLength(64);
  });

  test("is in no argument list and no environment of the host", async () => {
    expect(await cachy.must("grep -c configuration-set /root/watched")).not.toBe("0\n");
    expect(await cachy.must(`grep -cF -f - /root/watched || :`, { input: secret })).toBe("0\n");
  });

  test("is in no file of the host but its own, the running unit's credential, and readable by none", async () => {
    const found = await cachy.must(
      "grep -rlF -f - --exclude-dir=proc --exclude-dir=sys --devices=skip / 2>/dev/null || :",
      { input: secret },
    );
    const files = found.trim().split("\n").sort();
    expect(files).toEqual([
      "/run/credentials/nix-serve.service/signing-key",
      "/var/lib/nix-serve/cache-priv-key.pem",
    ]);
    const modes = await cachy.must(`stat --format=%a ${files.join(" ")}`);
    expect(
      modes
        .trim()
        .split("\n")
        .every((mode) => mode.endsWith("0")),
    ).toBe(true);
    expect(
      (await cachy.run("cat /var/lib/nix-serve/cache-priv-key.pem", { user: "operator" })).code,
    ).not.toBe(0);
  });

  test("is not in the journal", async () => {
    expect(await cachy.must("journalctl --no-pager | grep -cF -f - || :", { input: secret })).toBe(
      "0\n",
    );
  });

  test("is in the state only encrypted, and not in what was printed or handed out", async () => {
    const pem = Buffer.from(secret, "base64").subarray(0, 32);
    const state = await engine.stateText();
    const spellings = [secret, secret.slice(0, 43), pem.toString("hex"), "BEGIN PRIVATE KEY"];
    for (const spelling of spellings) {
      expect(state).not.toContain(spelling);
      expect(first.log).not.toContain(spelling);
      expect(JSON.stringify(first.outputs)).not.toContain(spelling);
    }
    // The search can find something: the public half is in the state.
    expect(state).toContain((first.outputs["publicKeys"] as string[])[0]);
  });

  test("is in no Nix store", async () => {
    const client = await lab.host({ name: "deadbeef", distribution: "debian" });
    await installNix(client);
    await useClientModule(client, String(first.outputs["clientModule"]));
    for (const host of [cachy, client]) {
      expect(await host.must("grep -rlF -f - /nix/store 2>/dev/null || :", { input: secret })).toBe(
        "",
      );
    }
  });
});
