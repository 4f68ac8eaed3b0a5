import { version } from "@pulumi/pulumi/version";

import { lifecycleCases } from "./lifecycleCases";

jest.setTimeout(60_000);

describe("the in-process engine over a stack's life", () => {
  lifecycleCases("inprocess", version);
});
