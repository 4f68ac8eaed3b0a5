import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { verifyStorePath } from "./binaryCache";
import { installNix, pull, useClientModule } from "./client";
import { createEngine, EngineError } from "./engines/engine";
import { Lab } from "./lab";
import { hostValues, stackConfiguration, UPSTREAMS } from "./provision";

const ENGINES = ["auto", "pulumi", "inprocess"] as const;
type EngineKind = (typeof ENGINES)[number];

const PROGRAM = join(__dirname, "..");

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function readArguments(): { engine: EngineKind; json: string | undefined } {
  const { values } = parseArgs({
    options: { engine: { type: "string", default: "auto" }, json: { type: "string" } },
  });
  const engine = ENGINES.find((kind) => kind === values.engine);
  if (engine === undefined)
    throw new Error(`--engine ${values.engine}: accepted are ${ENGINES.join(", ")}`);
  return { engine, json: values.json };
}

/** A client and a cache host, one `up`, a second one, and a pull that needs signatures. */
async function demonstrate(lab: Lab, kind: EngineKind): Promise<object> {
  say("Booting a cache host (cachy) and a client (deadbeef), both Debian");
  const cachy = await lab.host({ name: "cachy", distribution: "debian", domains: ["cachy.local"] });
  const deadbeef = await lab.host({ name: "deadbeef", distribution: "debian" });
  await installNix(deadbeef);

  const engine = await createEngine(kind, {
    directory: join(lab.directory, "stack"),
    program: PROGRAM,
    stack: "demo",
    allowedHosts: [cachy.address],
    onOutput: (text) => process.stdout.write(text),
  });
  const configuration = stackConfiguration([hostValues(cachy)], { upstreams: UPSTREAMS });
  say(`\nFirst run (${engine.name})`);
  const up = await engine.up(configuration);
  say("\nSecond run: nothing is to change");
  const again = await engine.up(configuration);
  if (again.changes.length > 0) throw new Error("the second run changed something");

  say("\nBuilding a closure on cachy, and pulling it on deadbeef by the client module's settings");
  const path = await cachy.must(
    `nix-build --no-out-link /srv/nixpkgs-stand-in/closure.nix --argstr salt "demo-$(date +%s)" 2>/dev/null`,
  );
  await useClientModule(deadbeef, String(up.outputs["clientModule"]));
  const pulled = await pull(deadbeef, path.trim());
  if (!pulled.verified)
    throw new Error("a pulled path carries no signature that the client trusts");
  const [publicKey] = up.outputs["publicKeys"] as string[];
  await verifyStorePath(
    { domain: "cachy.local", address: cachy.address },
    path.trim(),
    publicKey ?? "",
  );

  const result = {
    engine: engine.name,
    up: { seconds: up.seconds, resources: up.resources },
    again: { seconds: again.seconds, changes: again.changes.length },
    pull: {
      paths: pulled.paths,
      bytes: pulled.bytes,
      seconds: pulled.seconds,
      verified: pulled.verified,
    },
  };
  say(`
engine        ${result.engine}
first run     ${up.seconds.toFixed(1)} s, ${up.resources} resources
second run    ${again.seconds.toFixed(1)} s, ${again.changes.length} changes
pull          ${pulled.paths} paths, ${(pulled.bytes / 1e6).toFixed(1)} MB in ${pulled.seconds.toFixed(1)} s, signatures required and verified`);
  return result;
}

async function main(): Promise<void> {
  const { engine, json } = readArguments();
  const lab = await Lab.open({ name: "demo" });
  try {
    const result = await demonstrate(lab, engine);
    if (json !== undefined) writeFileSync(resolve(json), `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await lab.close();
  }
}

main().catch((error: unknown) => {
  if (error instanceof EngineError) process.stderr.write(`${error.log}\n`);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
