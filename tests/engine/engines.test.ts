import { failureCases } from "../unit/engines/failureCases";
import { lifecycleCases } from "../unit/engines/lifecycleCases";
import { describeOnPulumi, pulumi } from "./support/commandLine";

jest.setTimeout(180_000);

describeOnPulumi("the Pulumi CLI over a stack's life", () => {
  lifecycleCases("pulumi", pulumi.version ?? "");
});

describeOnPulumi("the Pulumi CLI in trouble", () => {
  failureCases("pulumi");
});
