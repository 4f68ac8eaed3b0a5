import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { parse } from "yaml";

import {
  EngineError,
  type Engine,
  type EngineOptions,
  type Result,
  type StackConfiguration,
  type UpOptions,
} from "../contract";
import { hasSetting, kill, processes } from "../processes";
import { passphraseOf } from "../passphrase";
import { readProject } from "../projectFile";
import { pulumi, type CommandOutcome } from "./commandLine";
import { readChanges } from "./events";
import { StackFileWriter } from "./stackFile";

interface Checkpoint {
  readonly checkpoint: {
    readonly latest?: {
      readonly resources?: readonly { readonly type: string; readonly delete?: boolean }[];
    };
  };
}

/**
 * The Pulumi CLI, with its state and the stack's configuration in a directory of the lab instead
 * of in the user's account and the repository.
 */
export class PulumiEngine implements Engine {
  readonly name = "pulumi";
  readonly #project: string;
  readonly #passphrase: string;
  #writer: StackFileWriter | undefined;

  /** @param searchPath where the CLI and its plugins are */
  constructor(
    private readonly options: EngineOptions,
    private readonly searchPath: string,
  ) {
    this.#project = readProject(options.program).name;
    this.#passphrase = passphraseOf(options);
  }

  async up(configuration: StackConfiguration, options: UpOptions = {}): Promise<Result> {
    await this.#configure(configuration);
    return this.#run("up", ["--yes", "--skip-preview"], options.signal);
  }

  async preview(configuration: StackConfiguration): Promise<Result> {
    await this.#configure(configuration);
    return this.#run("preview", ["--diff"]);
  }

  async destroy(options: { readonly excludeProtected?: boolean } = {}): Promise<Result> {
    await this.#initialize();
    const protection = options.excludeProtected === true ? ["--exclude-protected"] : [];
    return this.#run("destroy", ["--yes", "--skip-preview", ...protection]);
  }

  async cancel(): Promise<void> {
    await this.#initialize();
    // A killed CLI leaves its plugins behind, and nothing else would ever end them.
    processes()
      .filter(({ program }) => program.startsWith("pulumi-"))
      .filter((one) => hasSetting(one, "PULUMI_BACKEND_URL", this.#backend))
      .forEach(kill);
    const words = ["--stack", this.options.stack, "--yes", "--non-interactive"];
    await this.#succeed(["cancel", ...words, "--cwd", this.#homeDirectory]);
    await this.#succeed([
      ...["refresh", ...words, "--cwd", this.options.program, "--config-file", this.#stackFile],
      ...["--skip-preview", "--clear-pending-creates"],
    ]);
  }

  async stateText(): Promise<string> {
    await this.#initialize();
    const entries = await readdir(this.#stateDirectory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const texts = files.map(({ parentPath, name }) =>
      readFile(path.join(parentPath, name), "utf8"),
    );
    return (await Promise.all(texts)).join("\n");
  }

  get #stateDirectory(): string {
    return path.resolve(this.options.directory, "state");
  }

  get #backend(): string {
    return `file://${this.#stateDirectory}`;
  }

  /** A project of the same name without a program, for commands that would write beside it. */
  get #homeDirectory(): string {
    return path.resolve(this.options.directory, "project");
  }

  get #stackFile(): string {
    return path.resolve(this.options.directory, `Pulumi.${this.options.stack}.yaml`);
  }

  get #checkpointFile(): string {
    const { stack } = this.options;
    return path.join(this.#stateDirectory, ".pulumi/stacks", this.#project, `${stack}.json`);
  }

  get #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: this.searchPath,
      PULUMI_BACKEND_URL: this.#backend,
      PULUMI_CONFIG_PASSPHRASE: this.#passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // The option --event-log is there for this only.
      PULUMI_DEBUG_COMMANDS: "true",
      NODE_OPTIONS: "",
    };
  }

  /** Makes the stack, once. */
  async #initialize(): Promise<void> {
    const { stack } = this.options;
    mkdirSync(this.#stateDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#homeDirectory, { recursive: true });
    if (!existsSync(this.#checkpointFile)) {
      const project = `name: ${this.#project}\nruntime: nodejs\n`;
      writeFileSync(path.join(this.#homeDirectory, "Pulumi.yaml"), project);
      await this.#succeed([
        ...["stack", "init", stack, "--no-select", "--non-interactive"],
        ...["--cwd", this.#homeDirectory],
      ]);
    }
    if (this.#writer === undefined) {
      const made = path.join(this.#homeDirectory, `Pulumi.${stack}.yaml`);
      const { encryptionsalt } = parse(readFileSync(made, "utf8")) as { encryptionsalt: string };
      this.#writer = new StackFileWriter(this.#passphrase, encryptionsalt);
    }
  }

  async #configure(configuration: StackConfiguration): Promise<void> {
    await this.#initialize();
    const content = this.#writer!.write(this.#project, configuration);
    writeFileSync(this.#stackFile, content, { mode: 0o600 });
  }

  async #succeed(words: readonly string[]): Promise<CommandOutcome> {
    const outcome = await pulumi(words, { environment: this.#environment });
    if (outcome.status !== 0) {
      throw new EngineError(`pulumi ${words[0]} failed:\n${outcome.log}`, outcome.log);
    }
    return outcome;
  }

  async #run(operation: string, words: readonly string[], signal?: AbortSignal): Promise<Result> {
    const { stack, program, directory, onOutput } = this.options;
    const events = path.resolve(directory, `${stack}.events.json`);
    rmSync(events, { force: true });
    const { status, log, seconds } = await pulumi(
      [
        ...[operation, "--stack", stack, "--cwd", path.resolve(program)],
        ...["--config-file", this.#stackFile, "--non-interactive", "--color", "never"],
        ...["--event-log", events, ...words],
      ],
      {
        environment: this.#environment,
        ...(onOutput === undefined ? {} : { onOutput }),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    const changes = readChanges(events);
    rmSync(events, { force: true });
    if (status !== 0) {
      const how = signal?.aborted === true ? "was killed" : `failed:\n${log}`;
      throw new EngineError(`pulumi ${operation} ${how}`, log, changes);
    }
    return { seconds, changes, resources: this.#count(), outputs: await this.#outputs(), log };
  }

  #count(): number {
    const stored = JSON.parse(readFileSync(this.#checkpointFile, "utf8")) as Checkpoint;
    const resources = stored.checkpoint.latest?.resources ?? [];
    return resources.filter(
      (resource) => !resource.type.startsWith("pulumi:providers:") && resource.delete !== true,
    ).length;
  }

  async #outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.#succeed([
      ...["stack", "output", "--json", "--show-secrets", "--stack", this.options.stack],
      ...["--non-interactive", "--cwd", this.#homeDirectory],
    ]);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
}
