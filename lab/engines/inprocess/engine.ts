import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as path from "node:path";

import {
  EngineError,
  type Engine,
  type EngineOptions,
  type Result,
  type StackConfiguration,
  type UpOptions,
} from "../contract";
import { passphraseOf } from "../passphrase";
import { readProject, resolveConfiguration, topLevelSecretKeys } from "../projectFile";
import { maskSecrets } from "../secretPaths";
import { runChild, type ChildOutcome } from "./childProcess";
import type { RunRequest } from "./messages";
import { State } from "./state";

/**
 * A stand-in for the Pulumi CLI where that is out of reach. It runs the same program, acts on real
 * resources of the few types it knows, and follows the rules of the real engine and providers.
 *
 * Every run is a process of its own, so that a run can be killed and the SDK starts afresh.
 */
export class InProcessEngine implements Engine {
  readonly name = "inprocess";
  readonly #directory: string;
  readonly #passphrase: string;
  /** The last one used: its secrets are hidden in what a destruction prints. */
  #configuration: StackConfiguration = { values: {} };

  constructor(private readonly options: EngineOptions) {
    this.#directory = path.resolve(options.directory);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#passphrase = passphraseOf(options);
  }

  up(configuration: StackConfiguration, options: UpOptions = {}): Promise<Result> {
    return this.#run("up", configuration, options);
  }

  preview(configuration: StackConfiguration): Promise<Result> {
    return this.#run("preview", configuration, {});
  }

  destroy(options: { readonly excludeProtected?: boolean } = {}): Promise<Result> {
    return this.#run("destroy", this.#configuration, options);
  }

  cancel(): Promise<void> {
    rmSync(this.#lockFile, { force: true });
    // Of a run whose parent was killed as well, keys are left behind here.
    readdirSync(this.#directory)
      .filter((name) => name.startsWith(this.#workPrefix))
      .forEach((name) => rmSync(path.join(this.#directory, name), { recursive: true }));
    const state = new State(this.#stateFile, this.#passphrase);
    if (state.pendingOperations.length > 0) {
      state.forgetPendingOperations();
      state.save();
    }
    return Promise.resolve();
  }

  stateText(): Promise<string> {
    return existsSync(this.#stateFile) ? readFile(this.#stateFile, "utf8") : Promise.resolve("");
  }

  get #stateFile(): string {
    return path.join(this.#directory, `${this.options.stack}.state.json`);
  }

  get #lockFile(): string {
    return path.join(this.#directory, `${this.options.stack}.lock`);
  }

  get #workPrefix(): string {
    return `${this.options.stack}.work-`;
  }

  #request(
    operation: RunRequest["operation"],
    configuration: StackConfiguration,
    excludeProtected: boolean,
  ): RunRequest {
    const { program, stack, allowedHosts } = this.options;
    const project = readProject(program);
    const secretKeys = [...topLevelSecretKeys(configuration)];
    return {
      ...{ operation, excludeProtected, stack, allowedHosts },
      program: path.resolve(program),
      entry: path.resolve(project.entry),
      project: project.name,
      configuration:
        operation === "destroy" ? {} : resolveConfiguration(project, stack, configuration),
      secretKeys: secretKeys.map((key) => `${project.name}:${key}`),
      stateFile: this.#stateFile,
      lockFile: this.#lockFile,
      workDirectory: mkdtempSync(path.join(this.#directory, this.#workPrefix)),
      passphrase: this.#passphrase,
    };
  }

  async #run(
    operation: RunRequest["operation"],
    configuration: StackConfiguration,
    options: UpOptions & { readonly excludeProtected?: boolean },
  ): Promise<Result> {
    this.#configuration = configuration;
    const mask = (text: string): string => maskSecrets(configuration, text);
    const { onOutput } = this.options;
    const started = performance.now();
    let outcome: ChildOutcome;
    try {
      const request = this.#request(operation, configuration, options.excludeProtected ?? false);
      outcome = await runChild(request, {
        ...(onOutput === undefined ? {} : { onOutput: (text: string) => onOutput(mask(text)) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new EngineError(message, `error: ${message}\n`);
    }
    const { report, log } = outcome;
    const seconds = (performance.now() - started) / 1000;
    if (report?.succeeded !== true) {
      const said = mask(log);
      const killed = report === undefined && options.signal?.aborted === true;
      const how = killed ? "was killed" : `failed:\n${said}`;
      throw new EngineError(`the in-process ${operation} ${how}`, said, report?.changes);
    }
    const { changes, resources, outputs } = report;
    return { seconds, changes, resources, outputs, log: mask(log) };
  }
}
