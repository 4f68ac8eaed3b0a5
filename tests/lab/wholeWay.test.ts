import { fetchFrom, field, isSignedBy, verifyStorePath } from "../../lab/binaryCache";
import { forget, installNix, nixConfiguration, pull, useClientModule } from "../../lab/client";
import type { Engine, Result } from "../../lab/engines/engine";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, stackConfiguration, UPSTREAMS } from "../../lab/provision";
import { buildClosure, buildPath } from "./support/closure";
import { logins, snapshot } from "./support/probes";
import { newStack, up } from "./support/stack";

jest.setTimeout(300_000);

describe.each(["debian", "arch"] as const)("the whole way on %s", (distribution) => {
  let lab: Lab;
  let cachy: LabHost;
  let deadbeef: LabHost;
  let engine: Engine;
  let first: Result;
  let publicKey: string;
  let found: string[];
  const configuration = (): ReturnType<typeof stackConfiguration> =>
    stackConfiguration([hostValues(cachy)], { upstreams: UPSTREAMS });
  const cache = (): { domain: string; address: string } => ({
    domain: "cachy.local",
    address: cachy.address,
  });

  beforeAll(async () => {
    lab = await Lab.open({ name: `whole-way-${distribution}` });
    [cachy, deadbeef] = await Promise.all([
      lab.host({ name: "cachy", distribution, domains: ["cachy.local"] }),
      lab.host({ name: "deadbeef", distribution: "debian" }),
    ]);
    await installNix(deadbeef);
    // Packages stay on destroy, so they belong to what the host was found with.
    await cachy.must(
      distribution === "debian"
        ? "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nginx nix-bin nix-setup-systemd curl procps >/dev/null"
        : "pacman --sync --needed --noconfirm nginx nix curl >/dev/null",
    );
    found = await snapshot(cachy);
    engine = await newStack(lab, [cachy]);
    first = await up(engine, configuration());
    [publicKey = ""] = first.outputs["publicKeys"] as string[];
  });
  afterAll(() => lab.close());

  test("the outputs say how to use the cache", () => {
    expect(first.outputs["cacheUrl"]).toBe("http://cachy.local");
    expect(publicKey).toMatch(/^cachy\.local-1:[A-Za-z0-9+/]{43}=$/);
    expect(first.outputs["substituters"]).toEqual([
      "http://cachy.local?priority=30",
      "https://cache.nixos.org/",
      "https://nix-community.cachix.org/",
    ]);
    expect(first.outputs["hosts"]).toEqual([
      { name: "cachy.local", url: "http://cachy.local", server: "nix-serve" },
    ]);
  });

  test("a narinfo and its NAR come through nginx, signed and whole (defects 1 and 2)", async () => {
    const path = await buildPath(cachy, "one");
    const { narinfo, nar } = await verifyStorePath(cache(), path, publicKey);
    expect(narinfo.get("Sig")).toHaveLength(1);
    expect(nar.subarray(8, 21).toString()).toBe("nix-archive-1");
    expect(field(narinfo, "StorePath")).toBe(path);
  });

  test("the checks of signatures can fail: another key, another size", async () => {
    const path = await buildPath(cachy, "two");
    const { narinfo } = await verifyStorePath(cache(), path, publicKey);
    const other = `cachy.local-1:${Buffer.alloc(32, 9).toString("base64")}`;
    expect(isSignedBy(narinfo, other)).toBe(false);
    expect(isSignedBy(new Map([...narinfo, ["NarSize", ["1"]]]), publicKey)).toBe(false);
    expect(isSignedBy(narinfo, publicKey)).toBe(true);
  });

  test("the client pulls a closure by exactly the settings of the module", async () => {
    const path = await buildClosure(cachy, "pull");
    await useClientModule(deadbeef, String(first.outputs["clientModule"]));
    const pulled = await pull(deadbeef, path);
    expect(pulled.verified).toBe(true);
    expect(pulled.paths).toBeGreaterThan(5);
    expect(pulled.bytes).toBeGreaterThan(1_000_000);
  });

  test("a client that trusts another key takes nothing", async () => {
    const path = await buildPath(cachy, "untrusted");
    await deadbeef.must("cat > /etc/nix/nix.conf && systemctl restart nix-daemon.service", {
      input: nixConfiguration({
        substituters: ["http://cachy.local"],
        "trusted-public-keys": [`cachy.local-1:${Buffer.alloc(32, 9).toString("base64")}`],
      }),
    });
    await forget(deadbeef);
    const { code, stderr } = await deadbeef.run(`nix-store --realise --max-jobs 0 ${path}`);
    expect(code).not.toBe(0);
    expect(stderr).toContain("not signed by any of the keys in 'trusted-public-keys'");
  });

  test("the server is on loopback only, as its own user, in the strictest sandbox", async () => {
    const listeners = await cachy.must(
      "ss --no-header --listening --tcp --numeric | awk '{ print $4 }'",
    );
    expect(listeners.split("\n").filter((each) => each.endsWith(":5000"))).toEqual([
      "127.0.0.1:5000",
    ]);
    const user = await cachy.must(
      "ps --no-headers -o user:20 --pid $(systemctl show --property=MainPID --value nix-serve)",
    );
    expect(user.trim()).toBe("nix-serve");
    const exposure = await cachy.must(
      "systemd-analyze security --no-pager nix-serve.service | tail -n 1",
    );
    expect(Number(/([0-9.]+) [A-Z]+/.exec(exposure)?.[1])).toBeLessThanOrEqual(1.0);
  });

  test("the key is where it belongs, for those it belongs to", async () => {
    const modes = await cachy.must("stat --format='%n %a %U' /var/lib/nix-serve/*.pem");
    expect(modes.trim().split("\n")).toEqual([
      "/var/lib/nix-serve/cache-priv-key.pem 400 nix-serve",
      "/var/lib/nix-serve/cache-pub-key.pem 444 nix-serve",
    ]);
    expect((await cachy.must("cat /var/lib/nix-serve/cache-pub-key.pem")).trim()).toBe(publicKey);
  });

  test("what is not there is a miss, what is not asked for politely is refused", async () => {
    expect((await fetchFrom(cache(), `/${"0".repeat(32)}.narinfo`)).status).toBe(404);
    expect((await fetchFrom(cache(), `/nar/${"0".repeat(52)}.nar`)).status).toBe(404);
    expect((await fetchFrom(cache(), "/../../etc/passwd")).status).not.toBe(200);
    expect((await fetchFrom(cache(), "/nix-cache-info", { method: "PUT" })).status).toBe(405);
  });

  test("a second run changes nothing and opens no connection", async () => {
    const before = await logins(cachy);
    const second = await up(engine, configuration());
    expect(second.changes).toEqual([]);
    // The second question is the only login since the first.
    expect(await logins(cachy)).toBe(before + 1);
  });

  test("destroy leaves the host as it was found, and keeps the signing key", async () => {
    await engine.destroy({ excludeProtected: true });
    expect(await snapshot(cachy)).toEqual(found);
    const again = await up(engine, configuration());
    expect(again.outputs["publicKeys"]).toEqual([publicKey]);
  });
});
