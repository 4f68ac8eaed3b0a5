import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { verifyStorePath } from "../../lab/binaryCache";
import type { Engine } from "../../lab/engines/engine";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, NIXPKGS_STAND_IN, stackConfiguration } from "../../lab/provision";
import { buildPath } from "./support/closure";
import { commandChanges, failedUp, newStack, up } from "./support/stack";

jest.setTimeout(180_000);

type Values = Record<string, unknown>;

describe("the ways to a host", () => {
  let lab: Lab;
  let cachy: LabHost;
  let engine: Engine;
  let count = 0;

  // Serving is the business of other tests; the published store alone is quick to set up.
  const configured = (values: Values = {}): ReturnType<typeof stackConfiguration> =>
    stackConfiguration([hostValues(cachy, { name: "cachy.local", server: "none", ...values })]);
  const filesOfProgram = (): Promise<string> =>
    cachy.must(
      "ls -d /usr/local/lib/nix-binary-cache /etc/nginx/nix-binary-cache.conf 2>/dev/null || echo none",
    );

  beforeAll(async () => {
    lab = await Lab.open({ name: "connections" });
  });
  afterAll(() => lab.close());
  beforeEach(async () => {
    cachy = await lab.host({ name: `cachy${++count}`, distribution: "arch" });
    engine = await newStack(lab, [cachy]);
  });
  afterEach(() => cachy.kill());

  test.each([
    ["operator", "bash"],
    ["fisher", "fish"],
  ])("as the ordinary user %s, whose shell is %s, by sudo", async (user) => {
    await up(engine, configured({ user }));
    expect(await filesOfProgram()).toContain("/etc/nginx/nix-binary-cache.conf");
    expect(await cachy.must("stat --format='%U %a' /etc/nginx/nix-binary-cache.conf")).toBe(
      "root 644\n",
    );
    await engine.destroy({ excludeProtected: true });
    expect(await filesOfProgram()).toBe("none\n");
  });

  test("a user without sudo is refused before anything is done", async () => {
    await cachy.must(
      "useradd --create-home plain && cp -r /home/operator/.ssh /home/plain/ && chown -R plain: /home/plain/.ssh",
    );
    const log = await failedUp(engine, configured({ user: "plain" }));
    expect(log).toMatch(
      /sudo: (a password is required|a terminal is required|interactive authentication is required)/,
    );
    expect(await filesOfProgram()).toBe("none\n");
  });

  test("through a bastion", async () => {
    const bastion = await lab.host({ name: `bastion${count}`, distribution: "debian" });
    const through = await newStack(lab, [cachy, bastion]);
    const { address, hostKey, privateKeyFile } = bastion;
    await up(
      through,
      configured({ bastion: { address, hostKey, privateKeyFile, user: "operator" } }),
    );
    const sources = await cachy.must(
      "journalctl --no-pager --output=cat | sed -n 's/^Accepted publickey for root from \\([0-9.]*\\) .*/\\1/p' | sort -u",
    );
    expect(sources.split("\n")).toContain(address);
    expect(await filesOfProgram()).toContain("/etc/nginx/nix-binary-cache.conf");
    await bastion.kill();
  });

  test("another host key than the pinned one is refused, and nothing is done", async () => {
    const other = await lab.host({ name: `other${count}`, distribution: "debian" });
    const log = await failedUp(engine, configured({ hostKey: other.hostKey, waitSeconds: 1 }));
    expect(log).toMatch(/host key/i);
    expect(await filesOfProgram()).toBe("none\n");
    await other.kill();
  });

  test("trusted on first use, the key is pinned: a second run asks no more, another key is refused", async () => {
    const trusting = configured({ hostKey: undefined, trustOnFirstUse: true, waitSeconds: 1 });
    await up(engine, trusting);
    expect((await up(engine, trusting)).changes).toEqual([]);
    await cachy.reinstall();
    const changed = configured({
      hostKey: undefined,
      trustOnFirstUse: true,
      waitSeconds: 1,
      workers: undefined,
      run: 2,
    });
    expect(await failedUp(engine, changed)).toMatch(/host key/i);
    expect(await filesOfProgram()).toBe("none\n");
  });

  test("a host that is still booting is waited for", async () => {
    await cachy.powerOff();
    const running = up(engine, configured());
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await cachy.boot();
    expect(commandChanges(await running)).toContain("create cachy.local-site");
  });

  test("a host that is down fails the run with its address, and others are provisioned", async () => {
    const other = await lab.host({ name: `other${count}`, distribution: "debian" });
    const both = await newStack(lab, [cachy, other]);
    await cachy.kill();
    const configuration = stackConfiguration(
      [
        hostValues(cachy, { name: "cachy.local", server: "none", waitSeconds: 1 }),
        hostValues(other, { name: "other.local", server: "none" }),
      ],
      { signingKeys: [{ name: "cachy.local-1" }] },
    );
    expect(await failedUp(both, configuration)).toContain("cachy.local-program");
    expect(await other.must("ls /etc/nginx/nix-binary-cache.conf")).toContain(
      "nix-binary-cache.conf",
    );
    await other.kill();
  });

  test("connection: local provisions the machine that the program runs on", async () => {
    // The program moves to the host: this machine is not to be provisioned.
    const root = join(__dirname, "..", "..");
    execFileSync("cp", ["-a", process.execPath, join(cachy.root, "usr/local/bin/node")]);
    execFileSync("mkdir", ["-p", join(cachy.root, "root/program")]);
    execFileSync("cp", [
      "-a",
      ...[
        "node_modules",
        "lab",
        "config",
        "render",
        "components",
        "host",
        "index.ts",
        "Pulumi.yaml",
        "package.json",
        "tsconfig.json",
      ].map((name) => join(root, name)),
      join(cachy.root, "root/program/"),
    ]);
    const values = {
      hosts: [{ name: "cachy.local", distribution: "arch", connection: "local" }],
      nixpkgs: NIXPKGS_STAND_IN,
    };
    const script = `
      const { createEngine } = require("/root/program/lab/engines/engine");
      const run = async () => {
        const engine = await createEngine("inprocess", { directory: "/root/state", program: "/root/program", stack: "local", allowedHosts: [] });
        const values = ${JSON.stringify(values)};
        const { outputs } = await engine.up({ values });
        const again = await engine.up({ values });
        console.log(JSON.stringify({ publicKeys: outputs.publicKeys, again: again.changes.length }));
      };
      run().catch((error) => { console.error(error.message, error.log); process.exit(1); });
    `;
    await cachy.must("cat > /root/program/local.ts", { input: script });
    const printed = await cachy.must("cd /root/program && node --import tsx local.ts");
    const { publicKeys, again } = JSON.parse(printed) as { publicKeys: string[]; again: number };
    expect(again).toBe(0);
    const path = await buildPath(cachy, "local");
    await verifyStorePath(
      { domain: "cachy.local", address: cachy.address },
      path,
      publicKeys[0] ?? "",
    );
  });
});
