import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { RecordedOptions } from "./registration";
import { Seal } from "./sealing";
import type { Properties, Wire } from "./wire";

/** A resource as the state remembers it. */
export interface ResourceState {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly id?: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
  readonly options: RecordedOptions;
  /** Its successor exists, it is yet to be deleted. */
  readonly pendingDelete?: true;
  /** It is deleted, its successor is yet to be created. */
  readonly pendingReplacement?: true;
}

/** A step that had begun when the state was written. */
export interface PendingOperation {
  readonly urn: string;
  readonly operation: "creating" | "updating" | "deleting";
}

interface StateFile {
  readonly version: 1;
  readonly instrument: string;
  readonly salt: string;
  readonly resources: readonly ResourceState[];
  readonly pendingOperations: readonly PendingOperation[];
}

/**
 * The stack's state: resources in the order in which they were registered, so that whatever one of
 * them depends on stands before it. It is on disk after every change.
 */
export class State {
  #resources: ResourceState[] = [];
  #pending: PendingOperation[] = [];
  readonly #seal: Seal;

  constructor(
    readonly file: string,
    passphrase: string,
    private readonly persistent = true,
  ) {
    if (!existsSync(file)) {
      this.#seal = new Seal(passphrase);
      return;
    }
    const stored = JSON.parse(readFileSync(file, "utf8")) as StateFile;
    this.#seal = new Seal(passphrase, stored.salt);
    this.#resources = this.#seal.open(
      stored.resources as unknown as Wire,
    ) as unknown as ResourceState[];
    this.#pending = [...stored.pendingOperations];
  }

  get resources(): readonly ResourceState[] {
    return this.#resources;
  }

  get pendingOperations(): readonly PendingOperation[] {
    return this.#pending;
  }

  /** The living resource of that identity. */
  find(urn: string): ResourceState | undefined {
    return this.#resources.find((one) => one.urn === urn && one.pendingDelete === undefined);
  }

  /** Changes the list of resources and saves it. */
  change(edit: (resources: readonly ResourceState[]) => ResourceState[]): void {
    this.#resources = edit(this.#resources);
    this.save();
  }

  /** Notes that a step begins; the returned function notes that it ended, however it did. */
  begin(operation: PendingOperation): () => void {
    this.#pending.push(operation);
    this.save();
    return () => {
      this.#pending = this.#pending.filter((other) => other !== operation);
    };
  }

  forgetPendingOperations(): void {
    this.#pending = [];
  }

  save(): void {
    if (!this.persistent) {
      return;
    }
    const content: StateFile = {
      version: 1,
      instrument: "the in-process engine of the lab, not Pulumi",
      salt: this.#seal.salt,
      resources: this.#seal.close(this.#resources as unknown as Wire) as unknown as ResourceState[],
      pendingOperations: this.#pending,
    };
    mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.new`;
    writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, this.file);
  }
}
