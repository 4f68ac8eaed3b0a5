import type { LabHost } from "./host";
import { shellQuote } from "../render/shell";

/** What pulling a store path on a client came to. */
export interface Pull {
  /** Store paths that were fetched. */
  readonly paths: number;
  /** Their size as NARs. */
  readonly bytes: number;
  readonly seconds: number;
  /** Whether every fetched path carries a signature by a key that the client trusts. */
  readonly verified: boolean;
  readonly log: string;
}

const MODULE = "/etc/nix/binary-cache.nix";

/** Puts Nix on a client, with its daemon; it asks substituters, as hosts of the lab else do not. */
export async function installNix(client: LabHost): Promise<void> {
  await client.must(
    "command -v nix >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nix-bin nix-setup-systemd curl >/dev/null; } && rm -f /root/.config/nix/nix.conf",
  );
}

/**
 * Makes a client use what a client module sets, and nothing else: Nix evaluates the module, and
 * its `nix.settings` become the lines of nix.conf, as NixOS would write them.
 */
export async function useClientModule(client: LabHost, module: string): Promise<void> {
  await client.must(`cat > ${MODULE}`, { input: module });
  const json = await client.must(
    `nix-instantiate --eval --strict --json --expr '((import ${MODULE}) { }).nix.settings'`,
  );
  await client.must("cat > /etc/nix/nix.conf && systemctl restart nix-daemon.service", {
    input: nixConfiguration(JSON.parse(json) as Record<string, unknown>),
  });
}

/** The lines of nix.conf for the values of `nix.settings`. */
export function nixConfiguration(settings: Readonly<Record<string, unknown>>): string {
  const spell = (value: unknown): string =>
    Array.isArray(value) ? value.map(String).join(" ") : String(value);
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${spell(value)}\n`)
    .join("");
}

/** Fetches the closure of a store path that the client does not have, and looks at what came. */
export async function pull(client: LabHost, storePath: string): Promise<Pull> {
  const path = shellQuote(storePath);
  await client.must(`! nix-store --check-validity ${path} 2>/dev/null`);
  const before = new Set(
    (await client.must("nix-store --query --requisites /nix/store/* 2>/dev/null || :")).split("\n"),
  );
  const started = Date.now();
  const { code, stdout, stderr } = await client.run(`nix-store --realise --max-jobs 0 ${path}`);
  const seconds = (Date.now() - started) / 1000;
  const log = `${stdout}${stderr}`;
  if (code !== 0) throw new Error(`${client.name} could not fetch ${storePath}:\n${log}`);
  const fetched = (await client.must(`nix-store --query --requisites ${path}`))
    .trim()
    .split("\n")
    .filter((each) => !before.has(each));
  const nix = "nix --extra-experimental-features nix-command";
  const sizes = await client.must(`nix-store --query --size ${fetched.map(shellQuote).join(" ")}`);
  const verification = await client.run(`${nix} store verify --recursive --sigs-needed 1 ${path}`);
  return {
    paths: fetched.length,
    bytes: sizes
      .trim()
      .split("\n")
      .reduce((sum, size) => sum + Number(size), 0),
    seconds,
    verified: verification.code === 0,
    log,
  };
}

/** Takes a store path and what nothing else needs off a client, so that it can be pulled again. */
export async function forget(client: LabHost): Promise<void> {
  await client.must("nix-collect-garbage --quiet >/dev/null 2>&1; rm -rf /root/.cache/nix");
}
