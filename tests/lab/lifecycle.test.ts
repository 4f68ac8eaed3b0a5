import { fetchFrom, verifyStorePath } from "../../lab/binaryCache";
import { installNix, useClientModule } from "../../lab/client";
import type { Engine } from "../../lab/engines/engine";
import { Lab, type LabHost } from "../../lab/lab";
import { hostValues, stackConfiguration } from "../../lab/provision";
import { buildClosure, buildPath } from "./support/closure";
import { startLoad } from "./support/load";
import { startOf } from "./support/probes";
import { commandChanges, failedUp, newStack, up } from "./support/stack";

jest.setTimeout(180_000);

type Configuration = ReturnType<typeof stackConfiguration>;

describe("the life of a cache host", () => {
  let lab: Lab;
  let cachy: LabHost;
  let engine: Engine;
  let publicKey: string;
  let count = 0;

  const configured = (values: Record<string, unknown> = {}): Configuration =>
    stackConfiguration([hostValues(cachy, { name: "cachy.local", ...values })]);
  const cache = (): { domain: string; address: string } => ({
    domain: "cachy.local",
    address: cachy.address,
  });
  const statusOf = async (path: string): Promise<number> => (await fetchFrom(cache(), path)).status;

  beforeAll(async () => {
    lab = await Lab.open({ name: "lifecycle" });
  });
  afterAll(() => lab.close());
  beforeEach(async () => {
    // Both distributions take their turn.
    const distribution = ++count % 2 === 0 ? "arch" : "debian";
    cachy = await lab.host({ name: `cachy${count}`, distribution });
    engine = await newStack(lab, [cachy]);
  });
  afterEach(() => cachy.kill());

  const provision = async (values: Record<string, unknown> = {}): Promise<void> => {
    const { outputs } = await up(engine, configured(values));
    [publicKey = ""] = outputs["publicKeys"] as string[];
  };

  test("a changed worker count restarts the server and nothing else", async () => {
    await provision();
    const before = {
      server: await startOf(cachy, "nix-serve"),
      nginx: await startOf(cachy, "nginx"),
    };
    const workers = await cachy.must("pgrep --full '^nginx: worker' | sort");
    const result = await up(engine, configured({ workers: 2 }));
    expect(commandChanges(result)).toEqual(["update cachy.local-server"]);
    expect(await startOf(cachy, "nix-serve")).not.toBe(before.server);
    expect(await startOf(cachy, "nginx")).toBe(before.nginx);
    expect(await cachy.must("pgrep --full '^nginx: worker' | sort")).toBe(workers);
    expect(
      await cachy.must(
        "tr '\\0' ' ' < /proc/$(systemctl show -P MainPID nix-serve)/cmdline; systemctl show -P ExecStart nix-serve",
      ),
    ).toContain("--workers 2");
  });

  test("a changed nginx value reloads nginx without a dropped request", async () => {
    await provision();
    const paths = await Promise.all(["a", "b", "c"].map((text) => buildPath(cachy, text)));
    const narinfos = paths.map((path) => `/${path.slice(11, 43)}.narinfo`);
    const { narinfo } = await verifyStorePath(cache(), paths[0] ?? "", publicKey);
    const load = startLoad(cache(), [
      "/nix-cache-info",
      ...narinfos,
      `/${narinfo.get("URL")?.[0]}`,
    ]);
    const before = {
      server: await startOf(cachy, "nix-serve"),
      nginx: await startOf(cachy, "nginx"),
    };
    expect((await fetchFrom({ ...cache(), domain: "other.lan" }, "/nix-cache-info")).status).toBe(
      404,
    );
    for (const serverNames of [["other.lan"], ["other.lan", "third.lan"], ["other.lan"]]) {
      const result = await up(engine, configured({ site: { serverNames } }));
      expect(commandChanges(result)).toEqual(["update cachy.local-site"]);
    }
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    expect((await fetchFrom({ ...cache(), domain: "other.lan" }, "/nix-cache-info")).status).toBe(
      200,
    );
    expect({
      server: await startOf(cachy, "nix-serve"),
      nginx: await startOf(cachy, "nginx"),
    }).toEqual(before);
  });

  test("a client's pull goes on through reloads of nginx", async () => {
    await provision();
    const client = await lab.host({ name: `client${count}`, distribution: "debian", domains: [] });
    await client.must(`echo '${cachy.address} cachy.local' >> /etc/hosts`);
    await installNix(client);
    const path = await buildClosure(cachy, "through-reloads");
    const { outputs } = await up(engine, configured());
    await useClientModule(client, String(outputs["clientModule"]));
    const pulling = client.must(`nix-store --realise --max-jobs 0 ${path}`);
    await up(engine, configured({ site: { serverNames: ["one.lan"] } }));
    await up(engine, configured({ site: { serverNames: ["two.lan"] } }));
    expect((await pulling).trim()).toBe(path);
    await client.kill();
  });

  test("an nginx value that nginx refuses leaves the old site serving, and says why", async () => {
    await provision();
    const path = await buildPath(cachy, "still here");
    const siteFile = "/etc/nginx/nix-binary-cache.conf /etc/nginx/nginx.conf";
    const before = await cachy.must(`sha256sum ${siteFile}`);
    const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.lan`;
    const log = await failedUp(engine, configured({ site: { serverNames: [long] } }));
    expect(log).toContain(
      "site: refused by: /usr/local/lib/nix-binary-cache/nginx-check cachy.local",
    );
    expect(log).toContain("could not build server_names_hash");
    expect(log).toContain("nothing was changed: the earlier configuration goes on");
    expect(await cachy.must(`sha256sum ${siteFile}`)).toBe(before);
    await verifyStorePath(cache(), path, publicKey);
    expect(commandChanges(await up(engine, configured()))).toEqual([]);
  });

  test("a server value that does not work leaves the old server serving, and says why", async () => {
    await provision();
    const path = await buildPath(cachy, "still served");
    await cachy.must(
      "systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'push @kept, IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", LocalPort => 6000, Listen => 5) or die; sleep'",
    );
    await cachy.must(
      "timeout 10 bash -c 'until ss --no-header --listening --tcp --numeric | grep -q :6000; do sleep 0.1; done'",
    );
    const log = await failedUp(engine, configured({ serverPort: 6000 }));
    expect(log).toContain("the last lines of nix-serve.service:");
    expect(log).toContain("the earlier configuration is back in place and works");
    await verifyStorePath(cache(), path, publicKey);
    expect(await cachy.must("systemctl show -P ExecStart nix-serve")).toContain("127.0.0.1:5000");
  });

  test("other sites of that nginx are left alone, before, during and after", async () => {
    await cachy.must(
      cachy.distribution === "arch"
        ? "pacman --sync --needed --noconfirm nginx >/dev/null && mkdir -p /usr/share/nginx/html && echo mine > /usr/share/nginx/html/index.html && systemctl start nginx"
        : "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nginx >/dev/null && echo mine > /var/www/html/index.html",
    );
    const other = { domain: "other.example", address: cachy.address };
    const page = async (): Promise<string> => (await fetchFrom(other, "/")).body.toString();
    expect(await page()).toBe("mine\n");
    await provision();
    expect(await page()).toBe("mine\n");
    await engine.destroy({ excludeProtected: true });
    expect(await page()).toBe("mine\n");
  });

  test("a foreign file is not overwritten; with adopt it comes back on destroy", async () => {
    const unit = "/etc/systemd/system/nix-serve.service";
    await cachy.must(`printf '[Service]\\nExecStart=/bin/true\\n' > ${unit}`);
    const before = await cachy.must(`cat ${unit}`);
    const log = await failedUp(engine, configured());
    expect(log).toContain(`server: ${unit} was there before and is not this program's
nothing was changed. Move it away, or set 'adopt: true' for this host: the file is then kept and comes back on destroy.`);
    expect(await cachy.must(`cat ${unit}`)).toBe(before);
    await provision({ adopt: true });
    expect(await cachy.must(`cat ${unit}`)).not.toBe(before);
    await engine.destroy({ excludeProtected: true });
    expect(await cachy.must(`cat ${unit}`)).toBe(before);
  });

  test("the key of a cache that is running already is imported, and its clients notice nothing", async () => {
    await cachy.must("mkdir -p /var/lib/nix-serve");
    const secretKey = (
      await cachy.must(
        "mkdir -p /tmp/k && openssl genpkey -algorithm ed25519 -outform DER > /tmp/k/der && openssl pkey -inform DER -in /tmp/k/der -pubout -outform DER | tail -c 32 > /tmp/k/public && tail -c 32 /tmp/k/der | cat - /tmp/k/public | base64 --wrap=0 | sed 's/^/old-cache:/' | tee /var/lib/nix-serve/cache-priv-key.pem",
      )
    ).trim();
    const log = await failedUp(engine, configured());
    expect(log).toContain(
      "/var/lib/nix-serve/cache-priv-key.pem was there before and is not this program's",
    );
    expect(log).toContain(
      "To keep them, import it: a further entry of\nsigningKeys with name: old-cache and",
    );
    expect(log).not.toContain(secretKey.slice(10));
    const imported: Configuration = {
      values: {
        ...configured().values,
        signingKeys: [{ name: "cachy.local-1" }, { name: "old-cache", secretKey }],
        signWith: "old-cache",
      },
      secretKeys: ["signingKeys"],
    };
    const { outputs } = await up(engine, imported);
    const oldPublicKey = `old-cache:${Buffer.from(secretKey.slice(10), "base64").subarray(32).toString("base64")}`;
    expect(outputs["publicKeys"]).toEqual([
      expect.stringMatching(/^cachy\.local-1:/),
      oldPublicKey,
    ]);
    await verifyStorePath(cache(), await buildPath(cachy, "old"), oldPublicKey);
  });

  test("a host that is lost and provisioned anew serves under the same key", async () => {
    await provision();
    const before = publicKey;
    await cachy.reinstall();
    await provision();
    expect(publicKey).toBe(before);
    await verifyStorePath(cache(), await buildPath(cachy, "anew"), before);
  });

  test("a host that is gone for good does not wedge the stack", async () => {
    await provision();
    await cachy.kill();
    const lost = configured({ lost: true, workers: 7 });
    expect(commandChanges(await up(engine, lost))).toEqual([]);
    const { changes } = await engine.destroy({ excludeProtected: true });
    expect(changes.filter(({ operation }) => operation === "delete").length).toBeGreaterThan(4);
  });

  test("an up that is killed in the middle is finished by the next one", async () => {
    const abort = new AbortController();
    const killed = engine.up(configured(), { signal: abort.signal }).catch(() => undefined);
    await cachy.must(
      "timeout 60 bash -c 'until test -e /var/lib/nix-binary-cache/sets/keys/digest; do sleep 0.05; done'",
    );
    abort.abort();
    await killed;
    await engine.cancel();
    await provision();
    await verifyStorePath(cache(), await buildPath(cachy, "finished"), publicKey);
    expect(commandChanges(await up(engine, configured()))).toEqual([]);
  });

  test("a reboot brings everything back", async () => {
    await provision();
    await cachy.restart();
    await cachy.must(
      "until curl --silent --fail --output /dev/null http://127.0.0.1:5000/nix-cache-info; do sleep 0.1; done",
    );
    await verifyStorePath(cache(), await buildPath(cachy, "rebooted"), publicKey);
  });

  test("a dead server is a miss and comes back by itself", async () => {
    await provision();
    const path = await buildPath(cachy, "dead");
    await cachy.must("kill -KILL $(systemctl show -P MainPID nix-serve)");
    expect(await statusOf(`/${path.slice(11, 43)}.narinfo`)).not.toBe(502);
    await cachy.must(
      "until systemctl is-active --quiet nix-serve && curl --silent --fail --output /dev/null http://127.0.0.1:5000/nix-cache-info; do sleep 0.1; done",
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await verifyStorePath(cache(), path, publicKey);
    await cachy.must("systemctl stop nix-serve");
    expect(await statusOf("/nix-cache-info")).toBe(200);
    expect(await statusOf(`/${(await buildPath(cachy, "stopped")).slice(11, 43)}.narinfo`)).toBe(
      404,
    );
  });

  test("an upgrade whose server does not serve goes back a generation", async () => {
    await provision();
    await cachy.must("cp -r /srv/nixpkgs-stand-in /srv/broken && cat > /srv/broken/flake.nix", {
      input: BROKEN_FLAKE,
    });
    const profile = "/nix/var/nix/profiles/nix-binary-cache-nix-serve";
    const before = await cachy.must(`readlink -f ${profile}`);
    const log = await failedUp(engine, configured({ nixpkgs: "path:/srv/broken" }));
    expect(log).toContain("does not serve at http://127.0.0.1:5000");
    expect(log).toContain("which serves");
    expect(await cachy.must(`readlink -f ${profile}`)).toBe(before);
    await verifyStorePath(cache(), await buildPath(cachy, "rolled back"), publicKey);
  });

  test("a host that gets another name in the stack goes on serving", async () => {
    await provision();
    const renamed = stackConfiguration(
      [hostValues(cachy, { name: "cachy", domain: "cachy.local" })],
      { signingKeys: [{ name: "cachy.local-1" }] },
    );
    const result = await up(engine, renamed);
    expect(commandChanges(result)).toContain("delete cachy.local-program");
    await verifyStorePath(cache(), await buildPath(cachy, "renamed"), publicKey);
    await engine.destroy({ excludeProtected: true });
    expect(await cachy.must("ls -d /usr/local/lib/nix-binary-cache 2>/dev/null || echo gone")).toBe(
      "gone\n",
    );
  });

  test("a site that has the name already is found and named, and goes on serving", async () => {
    await cachy.must(
      cachy.distribution === "arch"
        ? "pacman --sync --needed --noconfirm nginx >/dev/null"
        : "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nginx >/dev/null",
    );
    const edit =
      "sed -i 's/^http {/http {\\n    server { listen 80; server_name cachy.local; return 204; }/' /etc/nginx/nginx.conf";
    await cachy.must(`${edit} && nginx -t -q && systemctl restart nginx`);
    const log = await failedUp(engine, configured());
    expect(log).toContain(
      "another site of this nginx has the name cachy.local: remove that site, or give this cache another domain\nsee /etc/nginx/nginx.conf",
    );
    expect(await statusOf("/")).toBe(204);
  });

  test("run: the same text is carried out once more where a new number asks for it", async () => {
    await provision();
    const before = await startOf(cachy, "nix-serve");
    await up(engine, configured({ run: 2 }));
    expect(await startOf(cachy, "nix-serve")).not.toBe(before);
  });

  test("an unsupported distribution is refused by name, and nothing is left there", async () => {
    await cachy.must(
      "rm -f /etc/os-release && printf 'ID=fedora\\nPRETTY_NAME=\"Fedora Linux 44\"\\n' > /etc/os-release",
    );
    const log = await failedUp(engine, configured());
    expect(log).toContain(
      "this host is Fedora Linux 44 (ID=fedora, ID_LIKE=none): not supported; Arch and its kin, Debian and Ubuntu are",
    );
    expect(
      await cachy.must(
        "ls -d /usr/local/lib/nix-binary-cache /var/lib/nix-binary-cache/sets/* 2>/dev/null || echo absent",
      ),
    ).toBe("absent\n");
  });
});

/** A flake whose nix-serve ends as soon as it is started. */
const BROKEN_FLAKE = `{
  outputs = { self }: {
    packages.x86_64-linux.nix-serve = import ./build.nix { system = "x86_64-linux"; } {
      name = "nix-serve-broken";
      script = ''
        $busybox mkdir -p $out/bin
        printf '#!/bin/sh\\nexit 3\\n' > $out/bin/nix-serve
        $busybox chmod +x $out/bin/nix-serve
      '';
    };
  };
}
`;
