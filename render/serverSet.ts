import type { ServerKind } from "../config/configuration";
import { configurationSet, file, hostProgram, line, probe } from "./configurationSet";
import {
  HARMONIA_SETTINGS,
  NARINFO_CACHE,
  NIX_USERS,
  SECRET_KEY_FILE,
  SERVER_UNIT,
  SERVER_USER,
  serverProfile,
  serverUrl,
} from "./layout";
import { renderUnit, type Setting, unitWord } from "./systemd";

/** What a server needs to know to serve a host's store. */
export interface ServerSettings {
  readonly server: Exclude<ServerKind, "none">;
  readonly port: number;
  /** How many requests are worked on at a time; nix-serve-ng decides by itself. */
  readonly workers: number;
  /** The Priority that the server states; lower is asked first. */
  readonly priority: number;
}

/** The configuration set `server`: the unit, its settings, and the proof that it signs and serves. */
export function serverSet(settings: ServerSettings): string {
  const { server, port } = settings;
  return configurationSet("server", [
    file(`/etc/systemd/system/${SERVER_UNIT}`, serverUnit(settings)),
    ...(server === "harmonia" ? [file(HARMONIA_SETTINGS, harmoniaSettings(settings))] : []),
    line("check", `systemd-analyze verify --man=no /etc/systemd/system/${SERVER_UNIT}`),
    line("enable", SERVER_UNIT),
    line("restart", SERVER_UNIT),
    line("run", hostProgram("forget-narinfo", NARINFO_CACHE)),
    probe(30, hostProgram("probe-cache", serverUrl(port), serverProfile(server))),
  ]);
}

/** The unit of the server, under the strictest sandbox in which all servers were seen to serve. */
export function serverUnit(settings: ServerSettings): string {
  return renderUnit([
    [
      "Unit",
      [
        ["Description", `Nix binary cache: ${settings.server} serves the store of this host`],
        [
          "Documentation",
          "https://nix.dev/manual/nix/latest/package-management/binary-cache-substituter",
        ],
        ["Wants", "nix-daemon.socket"],
        ["After", "network.target nix-daemon.socket"],
        ["StartLimitIntervalSec", 0],
        // Nothing to systemd; it tells server-profile where this server is to be asked.
        ["X-NixBinaryCacheUrl", serverUrl(settings.port)],
      ],
    ],
    [
      "Service",
      [
        ["Type", "exec"],
        ["ExecStart", command(settings).map(unitWord).join(" ")],
        ["User", SERVER_USER],
        ["Group", SERVER_USER],
        ["SupplementaryGroups", NIX_USERS],
        ...environment(settings.server),
        ["LoadCredential", `signing-key:${SECRET_KEY_FILE}`],
        ["RuntimeDirectory", "nix-serve"],
        ["RuntimeDirectoryMode", "0700"],
        ["WorkingDirectory", "%t/nix-serve"],
        ["Restart", "always"],
        ["RestartSec", 2],
        ["TimeoutStopSec", 20],
        ["LimitNOFILE", 65536],
        ...SANDBOX,
      ],
    ],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ]);
}

function command({ server, port, workers, priority }: ServerSettings): string[] {
  const directory = `${serverProfile(server)}/bin`;
  switch (server) {
    case "nix-serve":
      return [
        `${directory}/nix-serve`,
        "--listen",
        `127.0.0.1:${port}`,
        "--workers",
        String(workers),
        // Starman waits a second in a worker for the next request on a connection that is kept.
        "--disable-keepalive",
      ];
    case "nix-serve-ng":
      return [
        `${directory}/nix-serve`,
        "--host",
        "127.0.0.1",
        "--port",
        String(port),
        "--priority",
        String(priority),
      ];
    case "harmonia":
      return [`${directory}/harmonia-cache`];
  }
}

function environment(server: ServerSettings["server"]): Setting[] {
  const common: Setting[] = [
    ["Environment", "HOME=%t/nix-serve"],
    ["Environment", "PATH=/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/bin:/bin"],
  ];
  return server === "harmonia"
    ? [
        ...common,
        ["Environment", `CONFIG_FILE=${HARMONIA_SETTINGS}`],
        ["Environment", "NIX_REMOTE=daemon"],
        ["Environment", "SIGN_KEY_PATHS=%d/signing-key"],
      ]
    : [
        ...common,
        // What a worker remembered of a path would be wrong after it was collected and built again.
        ["Environment", "NIX_REMOTE=daemon?path-info-cache-size=0"],
        ["Environment", "NIX_SECRET_KEY_FILE=%d/signing-key"],
      ];
}

/**
 * Only settings that harmonia has had since 2.0: it refuses to start with one that it does not
 * know, and each version knows others (`deny_unknown_fields` in its settings).
 */
function harmoniaSettings({ port, workers, priority }: ServerSettings): string {
  return [`bind = "127.0.0.1:${port}"`, `workers = ${workers}`, `priority = ${priority}`, ""].join(
    "\n",
  );
}

/**
 * `systemd-analyze security` puts a unit with these at 1.0. Without SystemCallErrorNumber=EPERM
 * nix-serve dies at its start: Starman sets its group, which ~@privileged forbids.
 */
const SANDBOX: readonly Setting[] = [
  ["UMask", "0077"],
  ["CapabilityBoundingSet", ""],
  ["AmbientCapabilities", ""],
  ["NoNewPrivileges", true],
  ["DeviceAllow", ""],
  ["DevicePolicy", "closed"],
  ["PrivateDevices", true],
  ["PrivateMounts", true],
  ["PrivateTmp", true],
  ["PrivateUsers", true],
  ["ProtectClock", true],
  ["ProtectControlGroups", true],
  ["ProtectHome", true],
  ["ProtectHostname", true],
  ["ProtectKernelLogs", true],
  ["ProtectKernelModules", true],
  ["ProtectKernelTunables", true],
  ["ProtectProc", "invisible"],
  ["ProcSubset", "pid"],
  ["ProtectSystem", "strict"],
  ["RemoveIPC", true],
  ["LockPersonality", true],
  ["MemoryDenyWriteExecute", true],
  ["RestrictNamespaces", true],
  ["RestrictRealtime", true],
  ["RestrictSUIDSGID", true],
  ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
  ["IPAddressDeny", "any"],
  ["IPAddressAllow", "localhost"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "~@privileged @resources"],
  ["SystemCallErrorNumber", "EPERM"],
];
