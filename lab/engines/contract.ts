/** The configuration of a stack, as a user would write it into `Pulumi.<stack>.yaml`. */
export interface StackConfiguration {
  /** Keys without their namespace, which is the project's name. Scalars, arrays and objects. */
  readonly values: Readonly<Record<string, unknown>>;
  /**
   * What of it is secret: a key of `values` (every string in its value), or a path below one, as
   * in `hosts[0].password` (that value alone).
   */
  readonly secretKeys?: readonly string[];
}

/** What an engine did, or would do, to one resource. */
export type Operation = "create" | "update" | "replace" | "delete" | "same";

/** One resource that a run changed, or that a preview says would change. */
export interface Change {
  readonly operation: Operation;
  readonly type: string;
  readonly name: string;
  /** The top-level inputs that differ; for some replacements the option that caused them. */
  readonly changedInputs: readonly string[];
}

/** What a run did. */
export interface Result {
  /** Wall time of the one command: `pulumi up`, or the process that stands in for it. */
  readonly seconds: number;
  /** All but "same"; components and the stack itself included, providers not. */
  readonly changes: readonly Change[];
  /** How many resources the stack holds afterwards, counted in the same way. */
  readonly resources: number;
  /** The stack's outputs, secrets shown. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** All that a user would have seen. */
  readonly log: string;
}

/** Settings of a single `up`. */
export interface UpOptions {
  /**
   * Aborting it kills the engine the hard way (SIGKILL), as a power cut would: commands that were
   * running live on, and the stack stays locked until {@link Engine.cancel}.
   */
  readonly signal?: AbortSignal;
}

/** Something that brings a stack of the program to its configuration. */
export interface Engine {
  readonly name: "pulumi" | "inprocess";
  up(configuration: StackConfiguration, options?: UpOptions): Promise<Result>;
  /** Changes nothing. Its log holds the difference; for a text of several lines, line by line. */
  preview(configuration: StackConfiguration): Promise<Result>;
  destroy(options?: { readonly excludeProtected?: boolean }): Promise<Result>;
  /** Frees a stack whose engine was killed: its lock, and the creations it had begun. */
  cancel(): Promise<void>;
  /** The state as it lies on disk, for tests that look for secrets in it. */
  stateText(): Promise<string>;
}

/** A run that failed, with all that the user would have seen of it. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    message: string,
    readonly log: string,
    readonly changes: readonly Change[] = [],
  ) {
    super(message);
  }
}

/** Where an engine works, and on what. */
export interface EngineOptions {
  /** State and work files live here. */
  readonly directory: string;
  /** The directory with `index.ts` and `Pulumi.yaml`. */
  readonly program: string;
  readonly stack: string;
  /** Addresses of the lab: the in-process engine refuses to log in anywhere else. */
  readonly allowedHosts: readonly string[];
  /** Encrypts the secrets in the state; by default one made for `directory` and kept there. */
  readonly passphrase?: string;
  /** Receives what the user would see, while it happens. */
  readonly onOutput?: (text: string) => void;
}
