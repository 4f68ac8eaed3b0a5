import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const answerTimeout = 30_000;

/** Whether the Pulumi CLI can be used here; if not, why. */
export type Found =
  | {
      readonly usable: true;
      readonly version: string;
      /** A search path on which `pulumi` and all it needs are found. */
      readonly searchPath: string;
    }
  | { readonly usable: false; readonly reason: string };

const packages = ["command", "tls", "random"];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function pathDirectories(): string[] {
  return (process.env["PATH"] ?? "").split(path.delimiter).filter((directory) => directory !== "");
}

/**
 * Where a CLI may be: on the PATH, or where the npm package `pulumi` has put one. The package's own
 * `pulumi`, first on the PATH of every npm script, is passed over: it may start a download, and it
 * hides a real one further on.
 */
function candidateDirectories(): string[] {
  const home = process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi");
  const versions = path.join(home, "versions");
  const downloaded = existsSync(versions)
    ? readdirSync(versions).map((version) => path.join(versions, version, "bin"))
    : [];
  const onPath = pathDirectories().filter(
    (directory) => !directory.endsWith(path.join("node_modules", ".bin")),
  );
  return [...onPath, path.join(home, "bin"), ...downloaded].filter((directory) =>
    isExecutable(path.join(directory, "pulumi")),
  );
}

async function versionIn(directory: string): Promise<string | undefined> {
  try {
    const options = { timeout: answerTimeout };
    return (await run(path.join(directory, "pulumi"), ["version"], options)).stdout.trim();
  } catch {
    return undefined;
  }
}

/** The version of a provider that its SDK asks the CLI for. */
function askedVersion(name: string): string {
  const manifest = readFileSync(require.resolve(`@pulumi/${name}/package.json`), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

interface Plugin {
  readonly name: string;
  readonly kind: string;
  readonly version?: string;
}

async function missingPlugins(directory: string): Promise<string[]> {
  const places = [directory, ...pathDirectories()];
  const absent = packages.filter(
    (name) => !places.some((place) => isExecutable(path.join(place, `pulumi-resource-${name}`))),
  );
  if (absent.length === 0) {
    return [];
  }
  const { stdout } = await run(path.join(directory, "pulumi"), ["plugin", "ls", "--json"], {
    timeout: answerTimeout,
  });
  const plugins = JSON.parse(stdout) as readonly Plugin[];
  return absent.filter((name) => {
    const version = askedVersion(name);
    return !plugins.some(
      (plugin) => plugin.kind === "resource" && plugin.name === name && plugin.version === version,
    );
  });
}

/**
 * Looks for a complete Pulumi CLI: itself, the Node.js language host and the providers that the
 * program uses. What is missing would be downloaded, which is what a lab must not rely on.
 */
export async function findPulumi(): Promise<Found> {
  for (const directory of candidateDirectories()) {
    const version = await versionIn(directory);
    if (version === undefined) {
      continue;
    }
    const places = [directory, ...pathDirectories()];
    if (!places.some((place) => isExecutable(path.join(place, "pulumi-language-nodejs")))) {
      return { usable: false, reason: "pulumi-language-nodejs is not on the PATH" };
    }
    try {
      const missing = await missingPlugins(directory);
      return missing.length === 0
        ? { usable: true, version, searchPath: places.join(path.delimiter) }
        : { usable: false, reason: `Pulumi's plugins are missing: ${missing.join(", ")}` };
    } catch {
      return { usable: false, reason: "pulumi cannot list its plugins" };
    }
  }
  return { usable: false, reason: "there is no working pulumi on the PATH" };
}
