import { execFileSync } from "node:child_process";
import { join } from "node:path";

interface Found {
  readonly usable: boolean;
  readonly version?: string;
  readonly reason?: string;
}

/** Asks in a process of its own, because tests are defined before anything can be awaited. */
function findPulumi(): Found {
  const question =
    'require("./lab/engines/pulumi/find").findPulumi().then((found) => console.log(JSON.stringify(found)))';
  const answer = execFileSync(
    process.execPath,
    ["--require", require.resolve("tsx/cjs"), "--eval", question],
    { cwd: join(__dirname, "..", "..", ".."), encoding: "utf8" },
  );
  return JSON.parse(answer) as Found;
}

/** The Pulumi CLI of this machine, or why there is none to test with. */
export const pulumi = findPulumi();

if (!pulumi.usable) {
  process.stderr.write(`\nSKIPPED, not tested on the real Pulumi engine: ${pulumi.reason}\n\n`);
}

/** `describe` where the Pulumi CLI is present; elsewhere its tests count as skipped. */
export const describeOnPulumi = pulumi.usable ? describe : describe.skip;
