import { homedir } from "node:os";
import { join } from "node:path";

/** Where the lab keeps its base and its hosts; `NIX_BINARY_CACHE_LAB` overrides it. */
export const cacheDirectory: string =
  process.env["NIX_BINARY_CACHE_LAB"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "nix-binary-cache-lab");

/** One directory for each lab that is open, named by the lab's number. */
export const labsDirectory: string = join(cacheDirectory, "labs");
