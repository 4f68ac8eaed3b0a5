import { execFileSync } from "node:child_process";

import { failureCases } from "../unit/engines/failureCases";
import { lifecycleCases } from "../unit/engines/lifecycleCases";

jest.setTimeout(180_000);

interface Found {
  readonly usable: boolean;
  readonly version?: string;
  readonly reason?: string;
}

/** Asks in a process of its own, because tests are defined before anything can be awaited. */
function findPulumi(): Found {
  const question =
    'require("./lab/engines/pulumi/find").findPulumi().then((found) => console.log(JSON.stringify(found)))';
  return JSON.parse(
    execFileSync(process.execPath, ["--require", require.resolve("tsx/cjs"), "--eval", question], {
      cwd: `${__dirname}/../..`,
      encoding: "utf8",
    }),
  ) as Found;
}

const found = findPulumi();

if (!found.usable) {
  process.stderr.write(`SKIPPED, not tested on the real Pulumi engine: ${found.reason}\n`);
}

(found.usable ? describe : describe.skip)("the Pulumi CLI over a stack's life", () => {
  lifecycleCases("pulumi", found.version ?? "");
});

(found.usable ? describe : describe.skip)("the Pulumi CLI in trouble", () => {
  failureCases("pulumi");
});
