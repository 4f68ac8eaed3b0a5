import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";

import { clientModule, type ClientModuleSettings, substituters } from "../../render/clientModule";
import {
  configurationSet,
  directory,
  file,
  filter,
  line,
  probe,
  user,
} from "../../render/configurationSet";
import { keysSet, packagesSet, programSet } from "../../render/hostSets";
import { nginxSite } from "../../render/nginxSite";
import { renderNix } from "../../render/nix";
import { nixKeyFromPem, nixKeyFromSecret } from "../../render/nixKey";
import { serverSet, serverUnit } from "../../render/serverSet";
import { nixCacheInfo, siteSet } from "../../render/siteSet";
import { evaluate, testWithNix } from "./support/nixExpressions";
import { isInstalled, run, temporaryDirectory } from "./support/processes";
import {
  fixture,
  nixPublicKey,
  nixSecretKey,
  pemOf,
  server,
  site,
  siteSettings,
  UPSTREAM,
} from "./support/samples";

const work = temporaryDirectory();
const evaluated = testWithNix();

const PACKAGES = { nixpkgs: "github:a/b?dir=c d" } as const;

/** A set without the contents of its files. */
function outline(set: string): string {
  return set.replaceAll(/^\|.*\n/gm, "");
}

/** The content of a file of a set. */
function contentOf(set: string, path: string): string {
  const lines = set.split("\n");
  const first = lines.findIndex((entry) => entry.startsWith(`file ${path} `)) + 1;
  const after = lines.findIndex((entry, index) => index >= first && !entry.startsWith("|"));
  return lines
    .slice(first, after)
    .map((entry) => `${entry.slice(2)}\n`)
    .join("");
}

describe("the text of a configuration set", () => {
  test("is a line for everything, and contents behind bars", () => {
    const set = configurationSet("example", [
      file("/etc/one", "first\n\n  third\n"),
      file("/etc/secret", "x\n", "nix-serve:nix-serve", "0400"),
      file("/etc/empty", ""),
      directory("/srv/cache"),
      directory("/srv/key", "a:b", "0700"),
      user("nix-serve", "/var/lib/nix-serve"),
      line("group", "nix-users"),
      filter("/etc/nginx/nginx.conf", "program", "--word", "x=1"),
      line("run", "true"),
      probe(30, "curl x"),
    ]);
    expect(set).toBe(`configuration-set 1 example
file /etc/one root:root 0644
| first
|
|   third
file /etc/secret nix-serve:nix-serve 0400
| x
file /etc/empty root:root 0644
directory /srv/cache root:root 0755
directory /srv/key a:b 0700
user nix-serve /var/lib/nix-serve
group nix-users
filter /etc/nginx/nginx.conf program --word x=1
run true
probe 30 curl x
`);
  });

  test("has no file without a final newline", () => {
    expect(() => file("/etc/x", "a")).toThrow(new Error("/etc/x must end with a newline"));
  });

  test("has no file with a carriage return or a NUL", () => {
    const refusal = new Error("/etc/x may not hold NUL or carriage return");
    expect(() => file("/etc/x", "a\r\n")).toThrow(refusal);
    expect(() => file("/etc/x", "a\0\n")).toThrow(refusal);
  });

  test("has no line that is two", () => {
    const refusal = new Error("a line of a configuration set cannot hold a newline");
    expect(() => line("run", "a\nrun b")).toThrow(refusal);
    expect(() => line("run", "a\rb")).toThrow(refusal);
    expect(() => filter("/etc/x", "program", "a\nb")).toThrow(refusal);
    expect(() => probe(1, "a\nb")).toThrow(refusal);
  });

  test("of the programs puts each where it belongs and looks at the host first of all", () => {
    const programs = [
      { name: "tool", text: "#!/bin/sh\n", executable: true },
      { name: "words.md", text: "words\n", executable: false },
    ];
    expect(programSet(programs, "arch")).toBe(`configuration-set 1 program
file /usr/local/lib/nix-binary-cache/tool root:root 0755
| #!/bin/sh
file /usr/local/lib/nix-binary-cache/words.md root:root 0644
| words
run /usr/local/lib/nix-binary-cache/host-facts arch
`);
  });

  test("of the packages installs them by family, and the server into its profile", () => {
    expect(packagesSet({ ...PACKAGES, family: "debian", server: "nix-serve" }))
      .toBe(`configuration-set 1 packages
run /usr/local/lib/nix-binary-cache/packages debian curl nginx procps nix-daemon.socket=nix-bin,nix-setup-systemd
enable nix-daemon.socket
run /usr/local/lib/nix-binary-cache/server-profile /nix/var/nix/profiles/nix-binary-cache-nix-serve 'github:a/b?dir=c d#nix-serve' nix-serve.service
`);
    expect(packagesSet({ ...PACKAGES, family: "arch", server: "none" }))
      .toBe(`configuration-set 1 packages
run /usr/local/lib/nix-binary-cache/packages arch curl nginx nix-daemon.socket=nix
enable nix-daemon.socket
`);
  });

  test("of the keys lets the server's account alone read the secret one", () => {
    expect(keysSet({ secretKey: "cachy.local-1:SECRET", publicKey: "cachy.local-1:PUBLIC" }))
      .toBe(`configuration-set 1 keys
group nix-users
user nix-serve /var/lib/nix-serve
directory /var/lib/nix-serve nix-serve:nix-serve 0755
file /var/lib/nix-serve/cache-priv-key.pem nix-serve:nix-serve 0400
| cachy.local-1:SECRET
file /var/lib/nix-serve/cache-pub-key.pem nix-serve:nix-serve 0444
| cachy.local-1:PUBLIC
try-restart nix-serve.service
run /usr/local/lib/nix-binary-cache/forget-narinfo /var/cache/nix-binary-cache/narinfo
`);
  });

  test("of nix-serve checks its unit, restarts it, forgets old answers, and sees it serve", () => {
    const set = serverSet(server());
    expect(outline(set)).toBe(`configuration-set 1 server
file /etc/systemd/system/nix-serve.service root:root 0644
check systemd-analyze verify --man=no /etc/systemd/system/nix-serve.service
enable nix-serve.service
restart nix-serve.service
run /usr/local/lib/nix-binary-cache/forget-narinfo /var/cache/nix-binary-cache/narinfo
probe 30 /usr/local/lib/nix-binary-cache/probe-cache http://127.0.0.1:5000 /nix/var/nix/profiles/nix-binary-cache-nix-serve
`);
    expect(contentOf(set, "/etc/systemd/system/nix-serve.service")).toBe(serverUnit(server()));
  });

  test("of harmonia has its settings, of which every version since 2.0 knows all", () => {
    const set = serverSet(server({ server: "harmonia", port: 6000, workers: 8, priority: 20 }));
    expect(outline(set)).toBe(`configuration-set 1 server
file /etc/systemd/system/nix-serve.service root:root 0644
file /etc/nix-binary-cache/harmonia.toml root:root 0644
check systemd-analyze verify --man=no /etc/systemd/system/nix-serve.service
enable nix-serve.service
restart nix-serve.service
run /usr/local/lib/nix-binary-cache/forget-narinfo /var/cache/nix-binary-cache/narinfo
probe 30 /usr/local/lib/nix-binary-cache/probe-cache http://127.0.0.1:6000 /nix/var/nix/profiles/nix-binary-cache-harmonia
`);
    expect(contentOf(set, "/etc/nix-binary-cache/harmonia.toml")).toBe(`bind = "127.0.0.1:6000"
workers = 8
priority = 20
`);
  });

  test("of the site checks, reloads and asks nginx, and the server through it", () => {
    const set = siteSet(site());
    expect(outline(set)).toBe(`configuration-set 1 site
file /etc/nginx/nix-binary-cache.conf root:root 0644
filter /etc/nginx/nginx.conf nginx-main-configuration include=/etc/nginx/nix-binary-cache.conf worker_connections=4096
file /etc/systemd/system/nginx.service.d/nix-binary-cache.conf root:root 0644
directory /srv/nix-binary-cache root:root 0755
file /srv/nix-binary-cache/nix-cache-info root:root 0644
directory /var/cache/nix-binary-cache root:root 0755
made /var/cache/nix-binary-cache/narinfo
made /var/cache/nix-binary-cache/nar
made /var/log/nginx/nix-binary-cache.log
file /etc/systemd/system/nix-binary-cache-forget.service root:root 0644
file /etc/systemd/system/nix-binary-cache-forget.path root:root 0644
check /usr/local/lib/nix-binary-cache/nginx-check cachy.local
enable nginx.service
reload nginx.service
enable nix-binary-cache-forget.path
run systemctl start nix-serve.service
probe 15 curl --silent --show-error --fail --noproxy '*' --resolve cachy.local:80:127.0.0.1 http://cachy.local/nix-cache-info | grep -qx 'StoreDir: /nix/store'
probe 30 /usr/local/lib/nix-binary-cache/probe-cache http://cachy.local /nix/var/nix/profiles/nix-binary-cache-nix-serve --noproxy '*' --resolve cachy.local:80:127.0.0.1
`);
    expect(contentOf(set, "/etc/nginx/nix-binary-cache.conf")).toBe(nginxSite(site()));
    expect(contentOf(set, "/srv/nix-binary-cache/nix-cache-info")).toBe(nixCacheInfo(30));
    expect(contentOf(set, "/etc/systemd/system/nginx.service.d/nix-binary-cache.conf")).toBe(
      "[Service]\nLimitNOFILE=65536\n",
    );
  });

  test("of the site asks no server where there is none", () => {
    const set = siteSet(site({ server: "none", priority: 35 }));
    expect(outline(set)).toBe(`configuration-set 1 site
file /etc/nginx/nix-binary-cache.conf root:root 0644
filter /etc/nginx/nginx.conf nginx-main-configuration include=/etc/nginx/nix-binary-cache.conf worker_connections=4096
file /etc/systemd/system/nginx.service.d/nix-binary-cache.conf root:root 0644
directory /srv/nix-binary-cache root:root 0755
file /srv/nix-binary-cache/nix-cache-info root:root 0644
directory /var/cache/nix-binary-cache root:root 0755
made /var/cache/nix-binary-cache/narinfo
made /var/cache/nix-binary-cache/nar
made /var/log/nginx/nix-binary-cache.log
check /usr/local/lib/nix-binary-cache/nginx-check cachy.local
enable nginx.service
reload nginx.service
probe 15 curl --silent --show-error --fail --noproxy '*' --resolve cachy.local:80:127.0.0.1 http://cachy.local/nix-cache-info | grep -qx 'StoreDir: /nix/store'
`);
  });

  test("of the site has every name of it looked for in other sites", () => {
    const settings = siteSettings({ serverNames: ["cache.example.org", "cache"] });
    expect(siteSet(site({ settings }))).toContain(
      "\ncheck /usr/local/lib/nix-binary-cache/nginx-check cachy.local cache.example.org cache\n",
    );
  });

  test("of the site forgets narinfos after a garbage collection", () => {
    const set = siteSet(site());
    expect(contentOf(set, "/etc/systemd/system/nix-binary-cache-forget.service")).toBe(`[Unit]
Description=Nix binary cache: ask the server again for every narinfo
After=nix-serve.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/local/lib/nix-binary-cache/forget-narinfo /var/cache/nix-binary-cache/narinfo
`);
    expect(contentOf(set, "/etc/systemd/system/nix-binary-cache-forget.path")).toBe(`[Unit]
Description=Nix binary cache: see garbage collections

[Path]
PathChanged=/nix/var/nix/gc-socket

[Install]
WantedBy=multi-user.target
`);
  });
});

describe("the unit of a server", () => {
  test("is, for nix-serve", () => {
    expect(serverUnit(server())).toBe(fixture("nix-serve.service"));
  });

  test("differs for nix-serve-ng in its flags alone", () => {
    expect(serverUnit(server({ server: "nix-serve-ng" }))).toBe(
      fixture("nix-serve.service")
        .replace("cache: nix-serve serves", "cache: nix-serve-ng serves")
        .replace(
          /^ExecStart=.*$/m,
          "ExecStart=/nix/var/nix/profiles/nix-binary-cache-nix-serve-ng/bin/nix-serve --host 127.0.0.1 --port 5000 --priority 30",
        ),
    );
  });

  test("tells server-profile where its server is to be asked", () => {
    for (const kind of ["nix-serve", "nix-serve-ng", "harmonia"] as const) {
      expect(serverUnit(server({ server: kind, port: 6000 }))).toContain(
        "\nX-NixBinaryCacheUrl=http://127.0.0.1:6000\n",
      );
    }
  });

  test("differs for harmonia in its settings file and the variable of its key", () => {
    expect(serverUnit(server({ server: "harmonia" }))).toBe(
      fixture("nix-serve.service")
        .replace("cache: nix-serve serves", "cache: harmonia serves")
        .replace(
          /^ExecStart=.*$/m,
          "ExecStart=/nix/var/nix/profiles/nix-binary-cache-harmonia/bin/harmonia-cache",
        )
        .replace(
          /^Environment=NIX_REMOTE=.*\nEnvironment=NIX_SECRET_KEY_FILE=.*$/m,
          "Environment=CONFIG_FILE=/etc/nix-binary-cache/harmonia.toml\nEnvironment=NIX_REMOTE=daemon\nEnvironment=SIGN_KEY_PATHS=%d/signing-key",
        ),
    );
  });

  const analyze = isInstalled("systemd-analyze");
  const judged = analyze ? test : test.skip;
  if (!analyze) console.warn("systemd-analyze is missing: what it says of units is not tested");

  judged.each(["nix-serve", "nix-serve-ng", "harmonia"] as const)(
    "is understood by systemd and exposed as little as can be, for %s",
    (kind) => {
      // The program is not on this machine, which systemd would complain of.
      const unit = serverUnit(server({ server: kind })).replace(
        /^ExecStart=\S+/m,
        "ExecStart=/bin/sh",
      );
      const path = join(work, `${kind}.service`);
      writeFileSync(path, unit);
      expect(run("systemd-analyze", ["verify", "--man=no", path])).toEqual({
        status: 0,
        stdout: "",
        stderr: "",
      });
      const words = ["security", "--offline=yes", "--no-pager", "--threshold=10", path];
      const { status, stdout } = run("systemd-analyze", words);
      expect([status, /^→ Overall exposure level .*: (\S+) OK/m.exec(stdout)?.[1]]).toEqual([
        0,
        "1.0",
      ]);
    },
  );
});

describe("a signing key", () => {
  const name = "cachy.local-1";

  test("made from a PEM has Nix's format: seed and public key in base 64 behind the name", () => {
    expect(nixKeyFromPem(name, pemOf(name))).toEqual({
      secretKey: nixSecretKey(name),
      publicKey: nixPublicKey(name),
    });
    expect(nixKeyFromPem(name, pemOf(name)).publicKey).toMatch(/^cachy\.local-1:[\w+/]{43}=$/);
    expect(nixKeyFromPem(name, pemOf(name)).secretKey).toMatch(/^cachy\.local-1:[\w+/]{86}==$/);
  });

  test("verifies with its public half what its secret half signed", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const { secretKey, publicKey } = nixKeyFromPem(name, pem);
    const bytes = (key: string): Buffer => Buffer.from(key.slice(name.length + 1), "base64");
    const fingerprint = Buffer.from("1;/nix/store/a-b;sha256:0;120;");
    // Both keys are read from Nix's format alone.
    const signature = sign(
      null,
      fingerprint,
      createPrivateKey({
        key: Buffer.concat([
          Buffer.from("302e020100300506032b657004220420", "hex"),
          bytes(secretKey).subarray(0, 32),
        ]),
        format: "der",
        type: "pkcs8",
      }),
    );
    const verifier = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: bytes(publicKey).toString("base64url") },
      format: "jwk",
    });
    expect(verify(null, fingerprint, verifier, signature)).toBe(true);
    expect(verify(null, Buffer.from("another"), verifier, signature)).toBe(false);
    expect(bytes(secretKey).subarray(32)).toEqual(bytes(publicKey));
  });

  test("that is imported keeps its bytes and its name", () => {
    expect(nixKeyFromSecret(`  ${nixSecretKey("old")}\n`)).toEqual({
      secretKey: nixSecretKey("old"),
      publicKey: nixPublicKey("old"),
    });
  });

  const others = {
    "of RSA": () => generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey,
    "of an elliptic curve": () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
    "of X25519": () => generateKeyPairSync("x25519").privateKey,
    "of Ed448": () => generateKeyPairSync("ed448").privateKey,
  };
  test.each(Object.entries(others))("is not made from a key %s", (_, make) => {
    const pem = make().export({ format: "pem", type: "pkcs8" }).toString();
    expect(() => nixKeyFromPem(name, pem)).toThrow(
      new Error("the private key of cachy.local-1 is not an Ed25519 key"),
    );
  });
});

describe("the client module", () => {
  const settings: ClientModuleSettings = {
    caches: [
      { url: "http://cachy.local", priority: 30 },
      { url: "http://cachy2.local", priority: 30 },
    ],
    publicKeys: [
      "cachy.local-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
      "cachy.local-2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    ],
    upstreams: [
      UPSTREAM,
      {
        url: "https://nix-community.cachix.org",
        publicKeys: ["nix-community.cachix.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs="],
        priority: 41,
      },
    ],
    client: { connectTimeout: 5, stalledDownloadTimeout: 30, fallback: true },
  };

  test("is, for two caches and two upstreams", () => {
    expect(clientModule(settings)).toBe(fixture("binary-cache.nix"));
  });

  evaluated("is a NixOS module of these settings and no more", () => {
    expect(evaluate(`(${clientModule(settings)}) { }`)).toEqual({
      nix: {
        settings: {
          "connect-timeout": 5,
          fallback: true,
          "stalled-download-timeout": 30,
          substituters: [
            "http://cachy.local?priority=30",
            "http://cachy2.local?priority=30",
            "https://cache.nixos.org/",
            "https://nix-community.cachix.org?priority=41",
          ],
          "trusted-public-keys": [
            "cachy.local-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "cachy.local-2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=",
            "nix-community.cachix.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs=",
          ],
        },
      },
    });
  });

  test("names an upstream as NixOS does, with a slash behind a bare host alone", () => {
    const urls = ["https://a", "https://b/", "https://c/cache"];
    const upstreams = urls.map((url) => ({ url, publicKeys: [] }));
    expect(substituters({ ...settings, caches: [], upstreams })).toEqual([
      "https://a/",
      "https://b/",
      "https://c/cache",
    ]);
  });
});

test("all texts are the same bytes for the same values", () => {
  for (const kind of ["nix-serve", "nix-serve-ng", "harmonia", "none"] as const) {
    const render = (): string[] => [
      siteSet(site({ server: kind })),
      packagesSet({ ...PACKAGES, family: "arch", server: kind }),
      packagesSet({ ...PACKAGES, family: "debian", server: kind }),
      kind === "none" ? "" : serverSet(server({ server: kind })),
    ];
    expect(render()).toEqual(render());
  }
  const names = fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true });
  fc.assert(
    fc.property(names, (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(renderNix(reversed)).toBe(renderNix(value));
    }),
  );
});
