import type { ServerKind } from "../config/configuration";

/** Where things stand on a cache host. */
export const KEY_DIRECTORY = "/var/lib/nix-serve";
export const SECRET_KEY_FILE = `${KEY_DIRECTORY}/cache-priv-key.pem`;
export const PUBLIC_KEY_FILE = `${KEY_DIRECTORY}/cache-pub-key.pem`;
export const SITE_CACHE = "/var/cache/nix-binary-cache";
export const NARINFO_CACHE = `${SITE_CACHE}/narinfo`;
export const NAR_CACHE = `${SITE_CACHE}/nar`;
export const SITE_LOG = "/var/log/nginx/nix-binary-cache.log";
export const HARMONIA_SETTINGS = "/etc/nix-binary-cache/harmonia.toml";

/** The account of the server, the owner of its key, and the unit: the same for every server. */
export const SERVER_USER = "nix-serve";
export const SERVER_UNIT = "nix-serve.service";
/** The group that Arch's and Debian's packages let to the socket of the Nix daemon. */
export const NIX_USERS = "nix-users";

/** The profile a server is installed into; each has its own, so that a switch can be undone. */
export function serverProfile(server: Exclude<ServerKind, "none">): string {
  return `/nix/var/nix/profiles/nix-binary-cache-${server}`;
}

/** Included at the end of nginx.conf's http block, so that another site stays the default one. */
export const SITE_FILE = "/etc/nginx/nix-binary-cache.conf";
export const NGINX_CONFIGURATION = "/etc/nginx/nginx.conf";

export function serverUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
