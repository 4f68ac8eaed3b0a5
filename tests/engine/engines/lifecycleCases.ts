import { engineRules } from "../../../lab/engines/inprocess/rules";
import { Bench, secret, summary } from "./bench";
import type { Described } from "./fixture/described";

const text = (changed: string): string => `first\n${changed}\nlast`;

/** A script that leaves a trace, then prints its standard input. */
function trace(note: string, first = ""): string {
  return `${first}echo '${note}' >> trace; cat`;
}

const firstProgram: readonly Described[] = [
  { name: "component", kind: "component" },
  {
    name: "source",
    parent: "component",
    stdin: text("old"),
    create: trace("create source", "sleep 0.2; "),
  },
  { name: "sink", stdinFrom: ["source"] },
  { name: "updater", stdin: "1", update: trace("update updater") },
  // What a command prints is no secret by itself, so this one's output is declared to be.
  { name: "secretive", stdin: "secret", options: { additionalSecretOutputs: ["stdout"] } },
  { name: "key", kind: "key" },
  { name: "password", kind: "password" },
  { name: "replaced", triggers: [1] },
  { name: "replaced-first", triggers: [1], options: { deleteBeforeReplace: true } },
  { name: "ignorant", stdin: "1", options: { ignoreChanges: ["stdin"] } },
  {
    name: "before",
    parent: "component",
    create: trace("create renamed"),
    delete: trace("delete renamed"),
  },
  { name: "host", triggers: [1] },
  { name: "on-host", dependsOn: ["host"], deletedWith: "host", delete: "exit 1" },
  { name: "retained", delete: "exit 1", options: { retainOnDelete: true } },
];

const edits: Readonly<Record<string, Partial<Described>>> = {
  source: { stdin: text("new") },
  sink: { delete: trace("delete sink in the new way") },
  updater: { stdin: "2", create: trace("never") },
  replaced: { triggers: [2], update: trace("never"), delete: trace("delete the replacement") },
  "replaced-first": { triggers: [2], update: trace("never") },
  ignorant: { stdin: "2" },
  before: { name: "after", options: { aliases: [{ name: "before" }] } },
};

const changedProgram: readonly Described[] = firstProgram.map((one) => ({
  ...one,
  ...edits[one.name],
}));

/**
 * What every engine has to do over a stack's life: one run after the other, on one stack.
 *
 * @param version of the real engine, or of the one that is imitated
 */
export function lifecycleCases(kind: "pulumi" | "inprocess", version: string): void {
  const { replaceWhatIsDeletedWith } = engineRules(version);
  const bench = new Bench(kind);
  afterAll(() => bench.remove());

  test("the first run creates everything, dependencies first", async () => {
    const { outputs, log, resources, changes } = await bench.up(firstProgram);

    expect(resources).toBe(firstProgram.length + 1);
    expect(changes.every(({ operation }) => operation === "create")).toBe(true);
    expect(changes).toHaveLength(resources);
    const ran = bench.trace();
    expect(ran.indexOf("create sink")).toBe(ran.length - 1);
    expect(outputs).toMatchObject({
      printed: { source: text("old"), sink: text("old"), secretive: secret },
      seen: { greeting: "hello", password: [expect.stringMatching(/^\w{32}$/)] },
    });
    const { privateKey, publicKey, keys } = outputs["seen"] as Record<string, string[]>;
    expect(privateKey).toEqual([expect.stringMatching(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/)]);
    expect(publicKey).toEqual([expect.stringMatching(/^ssh-ed25519 \S+\n$/)]);
    expect(keys).toContain("nix-binary-cache:resources");

    const state = await (await bench.engine()).stateText();
    const password = (outputs["seen"] as Record<string, string[]>)["password"]![0]!;
    const keyBody = privateKey![0]!.split("\n")[3]!;
    for (const hidden of [secret, password, keyBody]) {
      expect(state).not.toContain(hidden);
      expect(log).not.toContain(hidden);
    }
    expect(state).toContain("create updater");
  });

  test("a second run changes nothing", async () => {
    const { changes, resources } = await bench.up(firstProgram);

    expect(changes).toEqual([]);
    expect(resources).toBe(firstProgram.length + 1);
    expect(bench.trace()).toEqual([]);
  });

  test("a preview runs nothing and shows the lines that change", async () => {
    const result = await bench.preview([...changedProgram, { name: "new", kind: "component" }]);

    expect(bench.trace()).toEqual([]);
    expect(summary(result)).toEqual([
      "create new",
      "replace replaced (delete, triggers, update)",
      "replace replaced-first (triggers, update)",
      "update sink (delete, stdin)",
      "update source (stdin)",
      "update updater (create, stdin)",
    ]);
    const lines = result.log.split("\n").map((line) => line.trim());
    expect(lines).toEqual(expect.arrayContaining(["first", "- old", "+ new", "last"]));
    expect(result.log).not.toContain(secret);
  });

  test("changed inputs update, changed triggers replace, aliases and ignored changes do neither", async () => {
    const result = await bench.up(changedProgram);

    expect(summary(result)).toEqual([
      "replace replaced (delete, triggers, update)",
      "replace replaced-first (triggers, update)",
      "update sink (delete, stdin)",
      "update source (stdin)",
      "update updater (create, stdin)",
    ]);
    const ran = bench.trace();
    expect([...ran].sort()).toEqual([
      "create replaced",
      "create replaced-first",
      "create sink",
      "create source",
      "delete replaced",
      "delete replaced-first",
      "update updater",
    ]);
    expect(ran.at(-1)).toBe("delete replaced");
    expect(ran.indexOf("delete replaced-first")).toBeLessThan(ran.indexOf("create replaced-first"));
    expect(ran.indexOf("create source")).toBeLessThan(ran.indexOf("create sink"));
    expect(result.outputs).toMatchObject({ printed: { sink: text("new"), ignorant: "1" } });
  });

  test("what is deleted with its host, or retained, is not deleted itself", async () => {
    const moved = changedProgram.map((one) =>
      one.name === "host" ? { ...one, triggers: [2] } : one,
    );
    const first = await bench.up(moved);
    // Until 3.259 a replaced host means nothing to what is deleted with it.
    const along = replaceWhatIsDeletedWith
      ? { summary: ["replace on-host (deletedWith)"], ran: ["create on-host"] }
      : { summary: [], ran: [] };
    expect(summary(first)).toEqual(["replace host (triggers)", ...along.summary]);
    expect(bench.trace()).toEqual(["create host", ...along.ran, "delete host"]);

    const names = ["host", "on-host", "retained"];
    const second = await bench.up(changedProgram.filter(({ name }) => !names.includes(name)));
    expect(summary(second)).toEqual(["delete host", "delete on-host", "delete retained"]);
    expect(bench.trace()).toEqual(["delete host"]);
  });

  test("destroy deletes the rest with the recorded scripts, dependents first", async () => {
    const { resources } = await bench.destroy();

    expect(resources).toBe(0);
    const ran = bench.trace();
    expect(ran[0]).toBe("delete sink in the new way");
    expect([...ran].sort()).toEqual([
      "delete ignorant",
      "delete renamed",
      "delete replaced-first",
      "delete secretive",
      "delete sink in the new way",
      "delete source",
      "delete the replacement",
      "delete updater",
    ]);
  });
}
