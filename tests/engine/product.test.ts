import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { createEngine, type Engine, type Result } from "../../lab/engines/engine";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, stackConfiguration } from "../../lab/provision";
import { logins, snapshot } from "../lab/support/probes";
import { commandChanges } from "../lab/support/stack";
import { describeOnPulumi } from "./support/commandLine";

jest.setTimeout(300_000);

type Kind = "pulumi" | "inprocess";

/** What a life of a stack came to: the changes of each step, and the host at two points. */
interface Life {
  readonly changes: readonly (readonly string[])[];
  readonly provisioned: readonly string[];
  readonly destroyed: readonly string[];
  readonly preview: Result;
  readonly loginsOfPreview: number;
  readonly again: Result;
  readonly state: string;
  readonly secret: string;
}

describeOnPulumi("the program on the real engine", () => {
  let lab: Lab;
  let pulumi: Life;
  let inProcess: Life;

  const live = async (kind: Kind): Promise<Life> => {
    const host: LabHost = await lab.host({ name: `cachy-${kind}`, distribution: "debian" });
    const engine: Engine = await createEngine(kind, {
      directory: mkdtempSync(join(lab.directory, "stack-")),
      program: join(__dirname, "..", ".."),
      stack: "engine",
      allowedHosts: [host.address],
    });
    const configured = (
      values: Record<string, unknown> = {},
    ): ReturnType<typeof stackConfiguration> =>
      stackConfiguration([hostValues(host, { name: "cachy.local", ...values })]);
    const first = await engine.up(configured());
    const provisioned = await snapshot(host);
    const secret = (await host.must("cut -d: -f2 /var/lib/nix-serve/cache-priv-key.pem")).trim();
    const state = await engine.stateText();
    const again = await engine.up(configured());
    const before = await logins(host);
    const preview = await engine.preview(configured({ site: { narinfoSeconds: 60 } }));
    const loginsOfPreview = (await logins(host)) - before - 1;
    const steps = [first, again, preview];
    for (const values of [
      { site: { narinfoSeconds: 60 } },
      { workers: 2 },
      { server: "none" },
      { run: 2 },
    ]) {
      steps.push(await engine.up(configured(values)));
    }
    steps.push(await engine.destroy({ excludeProtected: true }));
    const destroyed = await snapshot(host);
    await host.kill();
    const changes = steps.map(commandChanges);
    return { changes, provisioned, destroyed, preview, loginsOfPreview, again, state, secret };
  };

  beforeAll(async () => {
    lab = await Lab.open({ name: "engine" });
    pulumi = await live("pulumi");
    inProcess = await live("inprocess");
  });
  afterAll(() => lab.close());

  test("does what the in-process engine does, step by step", () => {
    expect(pulumi.changes).toEqual(inProcess.changes);
  });

  test("leaves the host as the in-process engine does", () => {
    const comparable = (lines: readonly string[]): string[] =>
      // Two hosts differ in these; and which of Debian's two units for the Nix daemon comes first
      // when its package is installed, is chance.
      lines.filter(
        (line) =>
          !/ssh_host|machine-id|hostname|\/etc\/hosts|lab-address|nix-daemon.socket is/.test(line),
      );
    expect(comparable(pulumi.provisioned)).toEqual(comparable(inProcess.provisioned));
    expect(comparable(pulumi.destroyed)).toEqual(comparable(inProcess.destroyed));
  });

  test("a second run changes nothing, within 3 seconds", () => {
    expect(pulumi.again.changes).toEqual([]);
    expect(pulumi.again.seconds).toBeLessThan(3);
  });

  test("a preview opens no connection and shows the line that changes, and no other", () => {
    expect(pulumi.loginsOfPreview).toBe(0);
    const changed = pulumi.preview.log
      .split("\n")
      .filter((line) => /^ *[-+] +\|/.test(line))
      .map((line) => line.trim().replace(/^([-+]) +/, "$1 "));
    expect(changed).toEqual([
      "- |         proxy_cache_valid 200 300s;",
      "+ |         proxy_cache_valid 200 60s;",
    ]);
  });

  test("the state holds the signing key only encrypted", () => {
    expect(pulumi.secret).toMatch(/^[A-Za-z0-9+/]{86}==$/);
    expect(pulumi.state).not.toContain(pulumi.secret);
    expect(pulumi.state).not.toContain("BEGIN PRIVATE KEY");
  });
});
