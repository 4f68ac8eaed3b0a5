import type { LabHost } from "../../../lab/lab";
import { shellQuote } from "../../../render/shell";

/** Builds a closure that nobody has built before, some 30 MB; the path of its top. */
export async function buildClosure(host: LabHost, salt: string): Promise<string> {
  const path = await host.must(
    `nix-build --no-out-link /srv/nixpkgs-stand-in/closure.nix --argstr salt ${shellQuote(salt)}`,
  );
  return path.trim();
}

/** Adds a small file to the host's store; its path. */
export async function buildPath(host: LabHost, text: string): Promise<string> {
  const script = 'd=$(mktemp -d); cat > "$d/lab-path"; nix-store --add "$d/lab-path"; rm -r "$d"';
  return (await host.must(script, { input: `${text}\n` })).trim();
}
