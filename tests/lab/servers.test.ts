import { fetchFrom, field, isSignedBy, parseNarinfo, verifyStorePath } from "../../lab/binaryCache";
import type { Engine } from "../../lab/engines/engine";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, stackConfiguration } from "../../lab/provision";
import { buildPath } from "./support/closure";
import { commandChanges, newStack, up } from "./support/stack";

jest.setTimeout(180_000);

type Configuration = ReturnType<typeof stackConfiguration>;

describe("the servers behind the site", () => {
  let lab: Lab;
  let cachy: LabHost;
  let engine: Engine;
  let count = 0;

  const configured = (
    values: Record<string, unknown> = {},
    stack: Record<string, unknown> = {},
  ): Configuration =>
    stackConfiguration([hostValues(cachy, { name: "cachy.local", ...values })], stack);
  const provision = async (configuration: Configuration): Promise<string[]> =>
    (await up(engine, configuration)).outputs["publicKeys"] as string[];
  const cache = (): { domain: string; address: string } => ({
    domain: "cachy.local",
    address: cachy.address,
  });
  const narinfoOf = (path: string): string => `/${path.slice(11, 43)}.narinfo`;

  beforeAll(async () => {
    lab = await Lab.open({ name: "servers" });
  });
  afterAll(() => lab.close());
  beforeEach(async () => {
    const distribution = ++count % 2 === 0 ? "debian" : "arch";
    cachy = await lab.host({ name: `cachy${count}`, distribution });
    engine = await newStack(lab, [cachy]);
  });
  afterEach(() => cachy.kill());

  test.each(["nix-serve-ng", "harmonia"])(
    "%s serves signed paths from the strictest sandbox",
    async (server) => {
      const [publicKey = ""] = await provision(configured({ server }));
      await verifyStorePath(cache(), await buildPath(cachy, server), publicKey);
      const exposure = await cachy.must(
        "systemd-analyze security --no-pager nix-serve.service | tail -n 1",
      );
      expect(Number(/([0-9.]+) [A-Z]+/.exec(exposure)?.[1])).toBeLessThanOrEqual(1.0);
      const listeners = await cachy.must(
        "ss --no-header --listening --tcp --numeric | awk '{ print $4 }'",
      );
      expect(listeners.split("\n").filter((each) => each.endsWith(":5000"))).toEqual([
        "127.0.0.1:5000",
      ]);
      expect((await up(engine, configured({ server }))).changes).toEqual([]);
    },
  );

  test("a change of server leaves no stale answer, and addresses that clients have kept still work", async () => {
    const [publicKey = ""] = await provision(configured({ server: "harmonia" }));
    const path = await buildPath(cachy, "kept");
    const { narinfo: kept } = await verifyStorePath(cache(), path, publicKey);
    expect(field(kept, "URL")).toMatch(/^nar\/[0-9a-z]{52}\.nar\?hash=[0-9a-z]{32}$/);
    const result = await up(engine, configured({ server: "nix-serve" }));
    expect(commandChanges(result)).toEqual([
      "update cachy.local-packages",
      "update cachy.local-server",
      "update cachy.local-site",
    ]);
    const { narinfo } = await verifyStorePath(cache(), path, publicKey);
    expect(field(narinfo, "URL")).toMatch(/^nar\/[0-9a-z]{32}-[0-9a-z]{52}\.nar$/);
    const other = await buildPath(cachy, "another");
    const { narinfo: ofOther } = await verifyStorePath(cache(), other, publicKey);
    const [, hash, digest] =
      /^nar\/([0-9a-z]{32})-([0-9a-z]{52})\.nar$/.exec(field(ofOther, "URL")) ?? [];
    // As harmonia would have spelled it, and as nginx has not been asked for before.
    const answer = await fetchFrom(cache(), `/nar/${digest}.nar?hash=${hash}`);
    expect(answer.status).toBe(200);
    expect(answer.body.length).toBe(Number(field(ofOther, "NarSize")));
  });

  test("without a server the published store alone is served, and nothing listens on the port", async () => {
    await provision(configured());
    const path = await buildPath(cachy, "gone");
    expect((await fetchFrom(cache(), narinfoOf(path))).status).toBe(200);
    const result = await up(engine, configured({ server: "none" }));
    expect(commandChanges(result)).toEqual([
      "delete cachy.local-keys",
      "delete cachy.local-server",
      "update cachy.local-packages",
      "update cachy.local-site",
    ]);
    expect((await fetchFrom(cache(), narinfoOf(path))).status).toBe(404);
    expect((await fetchFrom(cache(), "/nix-cache-info")).status).toBe(200);
    expect(await cachy.must("ls -A /var/lib/nix-serve 2>&1 || :")).toContain("No such file");
    expect((await cachy.run("systemctl is-active nix-serve")).stdout.trim()).toBe("inactive");
    expect(
      await cachy.must("ss --no-header --listening --tcp --numeric | grep -c :5000 || :"),
    ).toBe("0\n");
  });

  test("the published store comes first, with its own narinfo and NAR", async () => {
    const [publicKey = ""] = await provision(configured());
    const path = await buildPath(cachy, "published");
    const nix = "nix --extra-experimental-features nix-command";
    await cachy.must(
      `${nix} copy --to 'file:///srv/nix-binary-cache?compression=zstd&secret-key=/var/lib/nix-serve/cache-priv-key.pem' ${path}`,
    );
    await cachy.must("systemctl stop nix-serve");
    const answer = await fetchFrom(cache(), narinfoOf(path));
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/x-nix-narinfo");
    const narinfo = parseNarinfo(answer.body.toString());
    expect(isSignedBy(narinfo, publicKey)).toBe(true);
    expect(field(narinfo, "Compression")).toBe("zstd");
    const nar = await fetchFrom(cache(), `/${field(narinfo, "URL")}`);
    expect(nar.status).toBe(200);
    expect(nar.body.length).toBe(Number(field(narinfo, "FileSize")));
    const part = await fetchFrom(cache(), `/${field(narinfo, "URL")}`, {
      headers: { range: "bytes=0-9" },
    });
    expect(part.status).toBe(206);
    expect(part.body.length).toBe(10);
  });

  test("after a change of key no answer carries the old signature", async () => {
    const signingKeys = [{ name: "cachy.local-1" }, { name: "cachy.local-2" }];
    const [first = "", second = ""] = await provision(configured({}, { signingKeys }));
    const path = await buildPath(cachy, "rotated");
    await verifyStorePath(cache(), path, first);
    const result = await up(engine, configured({}, { signingKeys, signWith: "cachy.local-2" }));
    expect(commandChanges(result)).toEqual(["update cachy.local-keys"]);
    const { narinfo } = await verifyStorePath(cache(), path, second);
    expect(isSignedBy(narinfo, first)).toBe(false);
  });

  test("after a garbage collection a collected path is a miss", async () => {
    const [publicKey = ""] = await provision(configured());
    const path = await buildPath(cachy, "collected");
    await verifyStorePath(cache(), path, publicKey);
    await cachy.must("systemctl stop nix-serve");
    expect((await fetchFrom(cache(), narinfoOf(path))).status).toBe(200);
    await cachy.must(
      "systemctl start nix-serve && nix-store --gc --quiet >/dev/null 2>&1; ! test -e " + path,
    );
    await cachy.must(
      "timeout 10 bash -c 'until [ -z \"$(find /var/cache/nix-binary-cache/narinfo -type f)\" ]; do sleep 0.05; done'",
    );
    expect((await fetchFrom(cache(), narinfoOf(path))).status).toBe(404);
  });

  test("what the server has produced once is kept: NARs, narinfo briefly, misses hardly at all", async () => {
    const [publicKey = ""] = await provision(configured());
    const path = await buildPath(cachy, "kept by nginx");
    const { narinfo, nar } = await verifyStorePath(cache(), path, publicKey);
    await fetchFrom(cache(), narinfoOf(path));
    const again = await fetchFrom(cache(), `/${field(narinfo, "URL")}`);
    expect(again.body.equals(nar)).toBe(true);
    const part = await fetchFrom(cache(), `/${field(narinfo, "URL")}`, {
      headers: { range: "bytes=1-4" },
    });
    expect(part.status).toBe(206);
    expect(part.body.equals(nar.subarray(1, 5))).toBe(true);
    const log = (await cachy.must("tail -n 6 /var/log/nginx/nix-binary-cache.log"))
      .trim()
      .split("\n");
    const seen = log.map((line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      return `${String(entry["class"])} ${String(entry["status"])} ${String(entry["cache"])}`;
    });
    expect(seen.slice(-4)).toEqual([
      "nar 200 MISS",
      "narinfo 200 HIT",
      "nar 200 HIT",
      "nar 206 HIT",
    ]);
    const missing = `/${"a".repeat(32)}.narinfo`;
    expect((await fetchFrom(cache(), missing)).status).toBe(404);
    // nginx counts whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect((await fetchFrom(cache(), missing)).status).toBe(404);
    const last = JSON.parse(
      (await cachy.must("tail -n 1 /var/log/nginx/nix-binary-cache.log")).trim(),
    ) as Record<string, unknown>;
    expect(last["cache"]).toBe("EXPIRED");
  });
});
