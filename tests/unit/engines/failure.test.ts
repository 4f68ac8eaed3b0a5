import { Bench, failure } from "./bench";
import { failureCases } from "./failureCases";

jest.setTimeout(60_000);

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
