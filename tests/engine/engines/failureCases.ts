import { setTimeout as sleep } from "node:timers/promises";

import { Bench, failure, summary } from "./bench";
import type { Described } from "./fixture/described";

const foundations: readonly Described[] = [
  { name: "foundation" },
  { name: "protected", dependsOn: ["foundation"], options: { protect: true } },
];

const sound: readonly Described[] = [
  ...foundations,
  { name: "changing", stdin: "1" },
  { name: "leaving" },
];

const slow: Described = { name: "slow", create: "sleep 0.7; echo 'create slow' >> trace" };

const broken: readonly Described[] = [
  ...foundations,
  { name: "changing", stdin: "2", create: "cat; exit 4" },
  slow,
  { name: "broken", create: "sleep 0.2; echo loud; exit 3" },
  { name: "dependent", dependsOn: ["broken"] },
];

const repaired: readonly Described[] = [
  ...foundations,
  { name: "changing", stdin: "2" },
  slow,
  { name: "broken" },
  { name: "dependent", dependsOn: ["broken"] },
];

/** How every engine has to fail, and to go on afterwards. */
export function failureCases(kind: "pulumi" | "inprocess"): void {
  const bench = new Bench(kind);
  afterAll(() => bench.remove());

  test("a failure lets what is under way finish, and nothing more is begun", async () => {
    await bench.up(sound);
    bench.trace();

    const { log, changes } = await failure(bench.up(broken));

    expect(log).toMatch(/exit status 3: running "cd [^\n]*sleep 0\.2; echo loud; exit 3/);
    expect(log).toContain("loud");
    expect(log).toContain("exit status 4");
    expect(summary({ changes })).toEqual(["create slow"]);
    expect(bench.trace()).toEqual(["create slow"]);
  });

  test("the next run retries what failed and keeps what was done", async () => {
    const result = await bench.up(repaired);

    expect(summary(result)).toEqual([
      "create broken",
      "create dependent",
      "delete leaving",
      "update changing (stdin)",
    ]);
    const trace = bench.trace();
    expect(trace.at(-1)).toBe("delete leaving");
    expect(trace).not.toContain("delete broken");
    expect(trace).toHaveLength(4);
  });

  test("a program that throws fails the run, and nothing is deleted", async () => {
    const { log } = await failure(bench.up(foundations, { crash: true }));

    expect(log).toContain("failed with an unhandled exception");
    expect(log).toContain("the program crashed on purpose");
    expect(bench.trace()).toEqual([]);
  });

  test("a wrong configuration is refused before the program runs", async () => {
    const engine = await bench.engine();
    const { values } = bench.configuration([]);
    const { directory, ...rest } = values;

    const missing = await failure(engine.up({ values: rest }));
    expect(missing.log).toContain("Stack 'test' is missing configuration value 'directory'");
    const wrong = await failure(engine.up({ values: { ...values, directory, resources: "none" } }));
    expect(wrong.log).toContain("configuration key 'resources' must be of type 'array");
  });

  test("a protected resource is refused by name; what it depends on stays with it", async () => {
    const { log } = await failure(bench.up([]));
    expect(log).toMatch(
      /resource "urn:[^"]*::protected" cannot be deleted\s+because it is protected/,
    );
    expect(bench.trace()).not.toContain("delete foundation");

    const { resources } = await bench.destroy({ excludeProtected: true });
    expect(resources).toBe(3);
    expect(bench.trace()).not.toContain("delete protected");

    await bench.up([{ name: "foundation" }, { name: "protected", dependsOn: ["foundation"] }]);
    bench.trace();
    expect((await bench.destroy()).resources).toBe(0);
    expect(bench.trace()).toEqual(["delete protected", "delete foundation"]);
  });

  test("a killed run leaves a lock and half its work; cancelled, the stack goes on", async () => {
    const lasting: Described = {
      name: "lasting",
      create: "echo begin >> trace; sleep 1; echo end >> trace",
      // So that the other one is in the state before this one begins.
      dependsOn: ["quick"],
    };
    const killer = new AbortController();
    const run = failure(bench.up([{ name: "quick" }, lasting], {}, { signal: killer.signal }));
    const ran: string[] = [];
    while (!ran.includes("begin")) {
      await sleep(50);
      ran.push(...bench.trace());
    }
    killer.abort();
    expect((await run).message).toContain("was killed");
    expect((await failure(bench.up([]))).log).toContain("currently locked by 1 lock");

    await (await bench.engine()).cancel();
    const next = await bench.up([{ name: "quick" }, { name: "lasting" }]);
    expect(ran).toContain("create quick");
    expect(summary(next)).toEqual(["create lasting"]);
    expect(bench.trace()).toEqual(["create lasting"]);
  });
}
