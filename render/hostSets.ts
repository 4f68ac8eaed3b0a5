import type { Family, ServerKind } from "../config/configuration";
import {
  configurationSet,
  directory,
  file,
  HOST_PROGRAMS,
  hostProgram,
  line,
  type SetLine,
  user,
} from "./configurationSet";
import {
  KEY_DIRECTORY,
  NARINFO_CACHE,
  NIX_USERS,
  PUBLIC_KEY_FILE,
  SECRET_KEY_FILE,
  SERVER_UNIT,
  SERVER_USER,
  serverProfile,
} from "./layout";
import type { NixKeyPair } from "./nixKey";

/** A program of `host/` and whether it is run by itself. */
export interface HostProgram {
  readonly name: string;
  readonly text: string;
  readonly executable: boolean;
}

/** The configuration set `program`: the programs of the host; it refuses hosts that cannot do. */
export function programSet(programs: readonly HostProgram[], family: Family): string {
  return configurationSet("program", [
    ...programs.map(({ name, text, executable }) =>
      file(`${HOST_PROGRAMS}/${name}`, text, "root:root", executable ? "0755" : "0644"),
    ),
    line("run", hostProgram("host-facts", family)),
  ]);
}

/** The packages of each family; the Nix ones only where no Nix is there already. */
const PACKAGES: Readonly<Record<Family, readonly string[]>> = {
  arch: ["curl", "nginx", "nix-daemon.socket=nix"],
  debian: ["curl", "nginx", "procps", "nix-daemon.socket=nix-bin,nix-setup-systemd"],
};

export interface PackagesSettings {
  readonly family: Family;
  readonly server: ServerKind;
  /** The flake that the server comes from. */
  readonly nixpkgs: string;
}

/** The configuration set `packages`: Nix with its daemon, nginx, and the server in its profile. */
export function packagesSet({ family, server, nixpkgs }: PackagesSettings): string {
  const profile: SetLine[] =
    server === "none"
      ? []
      : [
          line(
            "run",
            hostProgram(
              "server-profile",
              serverProfile(server),
              `${nixpkgs}#${server}`,
              SERVER_UNIT,
            ),
          ),
        ];
  return configurationSet("packages", [
    line("run", hostProgram("packages", family, ...PACKAGES[family])),
    line("enable", "nix-daemon.socket"),
    ...profile,
  ]);
}

/** The configuration set `keys`: the signing key and the account that may read it. A secret. */
export function keysSet(key: NixKeyPair): string {
  return configurationSet("keys", [
    line("group", NIX_USERS),
    user(SERVER_USER, KEY_DIRECTORY),
    directory(KEY_DIRECTORY, `${SERVER_USER}:${SERVER_USER}`, "0755"),
    file(SECRET_KEY_FILE, `${key.secretKey}\n`, `${SERVER_USER}:${SERVER_USER}`, "0400"),
    file(PUBLIC_KEY_FILE, `${key.publicKey}\n`, `${SERVER_USER}:${SERVER_USER}`, "0444"),
    line("try-restart", SERVER_UNIT),
    line("run", hostProgram("forget-narinfo", NARINFO_CACHE)),
  ]);
}
