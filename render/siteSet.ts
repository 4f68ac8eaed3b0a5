import type { ServerKind, SiteSettings } from "../config/configuration";
import {
  configurationSet,
  directory,
  file,
  filter,
  hostProgram,
  line,
  probe,
} from "./configurationSet";
import {
  NAR_CACHE,
  NGINX_CONFIGURATION,
  NARINFO_CACHE,
  SERVER_UNIT,
  serverProfile,
  SITE_CACHE,
  SITE_LOG,
  SITE_FILE,
} from "./layout";
import { nginxSite, serverNames } from "./nginxSite";
import { shellCommand } from "./shell";
import { renderUnit } from "./systemd";

/** What the site of a host is made from. */
export interface SiteArguments {
  readonly server: ServerKind;
  readonly port: number;
  readonly domain: string;
  readonly priority: number;
  readonly settings: SiteSettings;
}

/** The configuration set `site`: the nginx site, and what keeps its answers fresh. */
export function siteSet(site: SiteArguments): string {
  const { server, domain, settings } = site;
  const url = `http://${domain}`;
  // Past any resolver and proxy: the question is what this nginx answers under that name.
  const direct = ["--noproxy", "*", "--resolve", `${domain}:80:127.0.0.1`];
  return configurationSet("site", [
    file(SITE_FILE, nginxSite(site)),
    filter(
      NGINX_CONFIGURATION,
      "nginx-main-configuration",
      `include=${SITE_FILE}`,
      `worker_connections=${settings.workerConnections}`,
    ),
    file(
      "/etc/systemd/system/nginx.service.d/nix-binary-cache.conf",
      renderUnit([["Service", [["LimitNOFILE", 65536]]]]),
    ),
    directory(settings.publishedStore),
    file(`${settings.publishedStore}/nix-cache-info`, nixCacheInfo(site.priority)),
    directory(SITE_CACHE),
    line("made", NARINFO_CACHE),
    line("made", NAR_CACHE),
    line("made", SITE_LOG),
    ...(server === "none" ? [] : garbageCollectionUnits()),
    line("check", hostProgram("nginx-check", ...serverNames(site))),
    line("enable", "nginx.service"),
    line("reload", "nginx.service"),
    ...(server === "none"
      ? []
      : [
          line("enable", "nix-binary-cache-forget.path"),
          // Somebody may have stopped it; what is asked next is whether the site serves.
          line("run", `systemctl start ${SERVER_UNIT}`),
        ]),
    probe(
      15,
      `${shellCommand(["curl", "--silent", "--show-error", "--fail", ...direct, `${url}/nix-cache-info`])} | grep -qx ${shellCommand(["StoreDir: /nix/store"])}`,
    ),
    ...(server === "none"
      ? []
      : [probe(30, hostProgram("probe-cache", url, serverProfile(server), ...direct))]),
  ]);
}

/** The answer that lets a client use the cache at all; it must be there before anything is pushed. */
export function nixCacheInfo(priority: number): string {
  return `StoreDir: /nix/store\nWantMassQuery: 1\nPriority: ${priority}\n`;
}

/**
 * A garbage collection takes paths away whose narinfo nginx may still keep. Nix makes and removes
 * a socket in gc-socket while it collects (local-store, gc.cc), which the path unit sees.
 */
function garbageCollectionUnits(): string[] {
  const forget = hostProgram("forget-narinfo", NARINFO_CACHE);
  return [
    file(
      "/etc/systemd/system/nix-binary-cache-forget.service",
      renderUnit([
        [
          "Unit",
          [
            ["Description", "Nix binary cache: ask the server again for every narinfo"],
            ["After", SERVER_UNIT],
            ["StartLimitIntervalSec", 0],
          ],
        ],
        [
          "Service",
          [
            ["Type", "oneshot"],
            ["ExecStart", forget],
          ],
        ],
      ]),
    ),
    file(
      "/etc/systemd/system/nix-binary-cache-forget.path",
      renderUnit([
        ["Unit", [["Description", "Nix binary cache: see garbage collections"]]],
        ["Path", [["PathChanged", "/nix/var/nix/gc-socket"]]],
        ["Install", [["WantedBy", "multi-user.target"]]],
      ]),
    ),
  ];
}
