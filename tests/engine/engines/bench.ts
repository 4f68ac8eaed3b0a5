import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import {
  createEngine,
  EngineError,
  type Engine,
  type Result,
  type UpOptions,
} from "../../../lab/engines/engine";
import type { Described } from "./fixture/described";

/** The secret in the configuration of every test. */
export const secret = "correct-horse-battery-staple";

/** A stack of the fixture in a directory of its own, and what its commands left behind. */
export class Bench {
  readonly directory = mkdtempSync(path.join(tmpdir(), "engines-"));
  readonly #traces = path.join(this.directory, "traces");
  #engine: Engine | undefined;

  constructor(private readonly kind: "pulumi" | "inprocess") {
    mkdirSync(this.#traces);
  }

  async engine(): Promise<Engine> {
    this.#engine ??= await createEngine(this.kind, {
      directory: path.join(this.directory, "engine"),
      program: path.join(__dirname, "fixture"),
      stack: "test",
      allowedHosts: [],
    });
    return this.#engine;
  }

  configuration(
    resources: readonly Described[],
    more: Readonly<Record<string, unknown>> = {},
  ): { values: Record<string, unknown>; secretKeys: string[] } {
    const values = { directory: this.#traces, resources, secret, ...more };
    return { values, secretKeys: ["secret"] };
  }

  async up(
    resources: readonly Described[],
    more?: Readonly<Record<string, unknown>>,
    options?: UpOptions,
  ): Promise<Result> {
    return (await this.engine()).up(this.configuration(resources, more), options);
  }

  async preview(resources: readonly Described[]): Promise<Result> {
    return (await this.engine()).preview(this.configuration(resources));
  }

  async destroy(options?: { readonly excludeProtected?: boolean }): Promise<Result> {
    return (await this.engine()).destroy(options);
  }

  /** What ran since the last call, in the order in which it began. */
  trace(): string[] {
    const file = path.join(this.#traces, "trace");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
    rmSync(file, { force: true });
    return lines;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The error of a run that has to fail. */
export async function failure(run: Promise<Result>): Promise<EngineError> {
  const outcome = await run.catch((error: unknown) => error);
  if (outcome instanceof EngineError) {
    return outcome;
  }
  throw outcome instanceof Error ? outcome : new Error("the run succeeded, it had to fail");
}

/** A run's changes in short, sorted, without the stack itself: `update a (stdin)`. */
export function summary({ changes }: Pick<Result, "changes">): string[] {
  return changes
    .filter(({ type }) => type !== "pulumi:pulumi:Stack")
    .map(({ operation, name, changedInputs }) =>
      changedInputs.length === 0
        ? `${operation} ${name}`
        : `${operation} ${name} (${changedInputs.join(", ")})`,
    )
    .sort();
}
