import type { ClientSettings, Upstream } from "../config/configuration";
import { type NixValue, renderNix } from "./nix";

/** What makes a machine use and trust the caches of a stack. */
export interface ClientModuleSettings {
  readonly caches: readonly { readonly url: string; readonly priority: number }[];
  readonly publicKeys: readonly string[];
  readonly upstreams: readonly Upstream[];
  readonly client: ClientSettings;
}

/** The substituters in the order in which they are listed; Nix asks by priority, lowest first. */
export function substituters({ caches, upstreams }: ClientModuleSettings): string[] {
  return [
    ...caches.map(({ url, priority }) => withPriority(url, priority)),
    ...upstreams.map(({ url, priority }) => withPriority(url, priority)),
  ];
}

/** The settings of nix.conf that the client module sets. */
export function clientSettings(settings: ClientModuleSettings): Record<string, NixValue> {
  return {
    "connect-timeout": settings.client.connectTimeout,
    fallback: settings.client.fallback,
    "stalled-download-timeout": settings.client.stalledDownloadTimeout,
    substituters: substituters(settings),
    "trusted-public-keys": [
      ...settings.publicKeys,
      ...settings.upstreams.flatMap(({ publicKeys }) => publicKeys),
    ],
  };
}

/** The client module: a NixOS module that stands alone. */
export function clientModule(settings: ClientModuleSettings): string {
  return `# Makes this machine use and trust the binary cache. Written by nix-binary-cache from the stack's
# configuration: change it there, changes made here are lost.
#
# The number behind ?priority= decides who is asked first; the lowest wins. A cache that is down
# costs connect-timeout seconds and, thanks to fallback, no build.
{ ... }:
{
  nix.settings = ${renderNix(clientSettings(settings), "  ")};
}
`;
}

/**
 * NixOS lists cache.nixos.org by itself, with a slash at the end: spelled alike, Nix sees one
 * substituter and not two.
 */
function withPriority(url: string, priority: number | undefined): string {
  if (priority !== undefined) return `${url}?priority=${priority}`;
  return url.replace(/^(https?:\/\/[^/]+)$/, "$1/");
}
