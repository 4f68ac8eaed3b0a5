import type { StackConfiguration } from "./engines/engine";
import type { LabHost } from "./host";

/** The flake on every lab host that stands in for nixpkgs. */
export const NIXPKGS_STAND_IN = "path:/srv/nixpkgs-stand-in";

/** The upstreams of the example stack; from a lab host they cannot be reached. */
export const UPSTREAMS = [
  {
    url: "https://cache.nixos.org",
    publicKeys: ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
  },
  {
    url: "https://nix-community.cachix.org",
    publicKeys: ["nix-community.cachix.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs="],
  },
] as const;

type Values = Readonly<Record<string, unknown>>;

/** A lab host as an entry of `hosts`; it is known to clients as NAME.local. */
export function hostValues(host: LabHost, values: Values = {}): Values {
  return {
    name: `${host.name}.local`,
    address: host.address,
    distribution: host.distribution === "arch" ? "cachyos" : "debian",
    hostKey: host.hostKey,
    privateKeyFile: host.privateKeyFile,
    ...values,
  };
}

/** The configuration of a stack with these hosts. */
export function stackConfiguration(
  hosts: readonly Values[],
  values: Values = {},
  secretKeys: readonly string[] = [],
): StackConfiguration {
  return {
    values: {
      hosts,
      nixpkgs: NIXPKGS_STAND_IN,
      clients: [{ name: "deadbeef" }],
      ...values,
    },
    secretKeys,
  };
}
