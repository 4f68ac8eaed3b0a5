import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { clientModule } from "../../render/clientModule";
import { keysSet, packagesSet, programSet } from "../../render/hostSets";
import { nginxSite } from "../../render/nginxSite";
import { serverSet, serverUnit } from "../../render/serverSet";
import { nixCacheInfo, siteSet } from "../../render/siteSet";
import { findDirectives, parseNginx } from "./support/nginxText";
import {
  configurationOf,
  nixPublicKey,
  problemsOf,
  HOST,
  server,
  site,
  UPSTREAM,
} from "./support/samples";

/**
 * The guide of shell commands that this program replaces has 17 defects; each test has the number
 * of one. None may come back. What text alone cannot show, such as a signature that a client
 * accepts, the tests on real hosts show.
 */

const SERVERS = ["nix-serve", "nix-serve-ng", "harmonia"] as const;
const FAMILIES = ["arch", "debian"] as const;

const MODULE = clientModule({
  caches: [{ url: "http://cachy.local", priority: 30 }],
  publicKeys: [nixPublicKey("cachy.local-1")],
  upstreams: [UPSTREAM],
  client: configurationOf().client,
});

/** Every text that the program puts on hosts and clients, by what it is. */
function allTexts(): (readonly [name: string, text: string])[] {
  const nixpkgs = "github:NixOS/nixpkgs/nixos-26.05";
  const sites = [...SERVERS, "none" as const].map(
    (kind) => [`site ${kind}`, siteSet(site({ server: kind }))] as const,
  );
  const packages = FAMILIES.flatMap((family) =>
    [...SERVERS, "none" as const].map(
      (kind) =>
        [`packages ${family} ${kind}`, packagesSet({ family, server: kind, nixpkgs })] as const,
    ),
  );
  const servers = SERVERS.map((kind) => [kind, serverSet(server({ server: kind }))] as const);
  const keys = keysSet({ secretKey: "cachy.local-1:S", publicKey: "cachy.local-1:P" });
  const directory = join(__dirname, "..", "..", "host");
  const programs = readdirSync(directory).map(
    (name) => [name, readFileSync(join(directory, name), "utf8")] as const,
  );
  return [
    ...sites,
    ...packages,
    ...servers,
    ["keys", keys],
    ["programs", programSet([], "debian")],
    ...programs,
    ["client module", MODULE],
  ];
}

/** The texts that hold something. */
function textsWith(pattern: RegExp): string[] {
  return allTexts().flatMap(([name, text]) => (pattern.test(text) ? [name] : []));
}

/** The values of a setting of a unit. */
function setting(unit: string, key: string): string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

describe("the defects of the guide do not come back", () => {
  test("1: no server is told its key by --key, which none knows, so all sign", () => {
    expect(textsWith(/--key\b/)).toEqual([]);
    for (const kind of SERVERS) {
      const unit = serverUnit(server({ server: kind }));
      const variable = kind === "harmonia" ? "SIGN_KEY_PATHS" : "NIX_SECRET_KEY_FILE";
      expect(setting(unit, "LoadCredential")).toEqual([
        "signing-key:/var/lib/nix-serve/cache-priv-key.pem",
      ]);
      expect(setting(unit, "Environment").at(-1)).toBe(`${variable}=%d/signing-key`);
      // And an unsigned answer fails the step.
      expect(serverSet(server({ server: kind }))).toContain(
        `\nprobe 30 /usr/local/lib/nix-binary-cache/probe-cache http://127.0.0.1:5000 /nix/var/nix/profiles/nix-binary-cache-${kind}\n`,
      );
    }
    const [, probe] = allTexts().find(([name]) => name === "probe-cache") ?? [];
    expect(probe).toContain("\nkey=$(cat /var/lib/nix-serve/cache-pub-key.pem)\n");
    expect(probe).toContain("is not signed by ${key%%:*}: clients would refuse it");
  });

  test("2: no location is nested, so narinfo and NARs reach the server as nix-cache-info does", () => {
    for (const kind of SERVERS) {
      const directives = parseNginx(nginxSite(site({ server: kind })));
      const nested = findDirectives(directives, "location").filter(({ around }) =>
        around.some((block) => block.startsWith("location")),
      );
      expect(nested).toEqual([]);
      const tried = findDirectives(directives, "try_files").map(({ words }) => words.at(-1));
      expect(tried).toEqual(["@narinfo", "@nar", "@server"]);
      const proxied = findDirectives(directives, "proxy_pass").map(({ around }) => around.at(-1));
      expect(proxied).toEqual(["location @narinfo", "location @nar", "location @server"]);
    }
  });

  test("3: no upload is handed to the server, which has none", () => {
    for (const kind of SERVERS) {
      const directives = parseNginx(nginxSite(site({ server: kind })));
      expect(findDirectives(directives, "return")[0]).toEqual({
        words: ["return", "405"],
        around: ["server", "if ($request_method !~ ^(GET|HEAD)$)"],
      });
    }
  });

  test("4: nobody asks a public authority for the certificate of a .local name", () => {
    expect(textsWith(/certbot|letsencrypt/)).toEqual([]);
  });

  test("5: nothing deletes generations of profiles or collects garbage to clear a cache", () => {
    expect(textsWith(/nix-collect-garbage|delete-generations|wipe-history/)).toEqual([]);
  });

  test("6: workers are a flag of the server, not a variable that nobody reads", () => {
    expect(textsWith(/NIX_SERVE_WORKERS/)).toEqual([]);
    expect(setting(serverUnit(server({ workers: 8 })), "ExecStart")).toEqual([
      "/nix/var/nix/profiles/nix-binary-cache-nix-serve/bin/nix-serve --listen 127.0.0.1:5000 --workers 8 --disable-keepalive",
    ]);
  });

  test("7: nix-cache-info has its three fields, and nothing looks for a PublicKey there", () => {
    expect(nixCacheInfo(30)).toBe("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n");
    expect(textsWith(/PublicKey:/)).toEqual([]);
  });

  test("8: the priority stands behind the URL, not in a setting that Nix does not have", () => {
    expect(textsWith(/substituter-priority/)).toEqual([]);
    expect(MODULE).toContain('"http://cachy.local?priority=30"\n');
  });

  test("9: the order follows from the priority, and nothing says otherwise", () => {
    expect(textsWith(/proximity|tried first/)).toEqual([]);
    expect(MODULE).toContain("decides who is asked first; the lowest wins");
    const priority = configurationOf().priority;
    expect(priority).toBeLessThan(40); // cache.nixos.org's
    expect(nixCacheInfo(priority)).toContain(`\nPriority: ${priority}\n`);
  });

  test("10: a dead cache is given up after a few seconds", () => {
    expect(/connect-timeout = (\d+);/.exec(MODULE)?.[1]).toBe("5");
    expect(MODULE).toContain("fallback = true;");
    expect(problemsOf({ hosts: [HOST], client: { connectTimeout: 0 } })).toHaveLength(1);
  });

  test("11: the server may use the daemon's socket, and needs no home directory", () => {
    for (const kind of SERVERS) {
      const unit = serverUnit(server({ server: kind }));
      expect(setting(unit, "User")).toEqual(["nix-serve"]);
      expect(setting(unit, "SupplementaryGroups")).toEqual(["nix-users"]);
      expect(setting(unit, "ExecStart")[0]).toMatch(
        /^\/nix\/var\/nix\/profiles\/nix-binary-cache-/,
      );
      expect(setting(unit, "Environment")[1]).toBe(
        "PATH=/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/bin:/bin",
      );
      expect(unit).not.toMatch(/\/home\b|\/root\b|~\//);
    }
    expect(keysSet({ secretKey: "a:b", publicKey: "a:c" })).toContain("\ngroup nix-users\n");
  });

  test("12: no step needs a group of its own session, or a channel", () => {
    expect(textsWith(/usermod|newgrp|nix-channel|nix-env -iA/)).toEqual([]);
  });

  test("13: NARs are not compressed on the way by nginx, under whatever type", () => {
    for (const kind of [...SERVERS, "none"] as const) {
      const directives = parseNginx(nginxSite(site({ server: kind })));
      expect(findDirectives(directives, "gzip").map(({ words }) => words)).toEqual([
        ["gzip", "off"],
      ]);
      expect(findDirectives(directives, "gzip_types")).toEqual([]);
    }
  });

  test("14: clients build nowhere else unless they are told to, and the server's account is no login", () => {
    expect(MODULE).not.toMatch(/distributedBuilds|buildMachines|sshUser/);
    expect(textsWith(/sshUser/)).toEqual([]);
  });

  test("15: the name of a generated key ends in its generation", () => {
    expect(configurationOf().signingKeys).toEqual([{ name: "cachy.local-1" }]);
    expect(problemsOf({ hosts: [HOST], signingKeys: [{ name: "cachy.local" }] })).toEqual([
      'signingKeys[0].name: "cachy.local" is not valid; accepted: a generated key\'s name ends in a number, such as cachy.local-1, so that its successors can be told apart (an imported key keeps its name)',
    ]);
  });

  test("16: nothing parses the JSON of nix path-info, whose shape has changed", () => {
    // The setting of that name is another thing.
    expect(textsWith(/path-info(?!-cache-size=)/)).toEqual([]);
  });

  test("17: nothing edits a flake by sed", () => {
    expect(textsWith(/flake\.nix/)).toEqual([]);
  });
});

test("servers and what nginx proxies to are on loopback alone", () => {
  const addresses = SERVERS.map(
    (kind) =>
      /(?:--listen|--host|bind =) "?([0-9.a-z]+)/.exec(serverSet(server({ server: kind })))?.[1],
  );
  expect(addresses).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  expect(textsWith(/0\.0\.0\.0/)).toEqual([]);
});
