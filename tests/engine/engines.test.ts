import { version } from "@pulumi/pulumi/version";

import { Bench, failure } from "./engines/bench";
import { failureCases } from "./engines/failureCases";
import { lifecycleCases } from "./engines/lifecycleCases";
import { describeOnPulumi, pulumi } from "./support/commandLine";

jest.setTimeout(180_000);

describe("the in-process engine over a stack's life", () => {
  lifecycleCases("inprocess", version);
});

describe("the in-process engine in trouble", () => {
  failureCases("inprocess");

  test("a resource type that it does not know is an error, not a guess", async () => {
    const bench = new Bench("inprocess");
    const { log } = await failure(bench.up([{ name: "identifier", kind: "unknown" }]));

    expect(log).toContain("the in-process engine does not know random:index/randomUuid:RandomUuid");
    expect(log).toContain("test instrument");
    bench.remove();
  });
});

describeOnPulumi("the Pulumi CLI over a stack's life", () => {
  lifecycleCases("pulumi", pulumi.version ?? "");
});

describeOnPulumi("the Pulumi CLI in trouble", () => {
  failureCases("pulumi");
});
