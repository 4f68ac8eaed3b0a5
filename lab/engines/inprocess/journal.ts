import type { Change, Operation } from "../contract";

const marks: Readonly<Record<Operation, string>> = {
  create: "+",
  update: "~",
  replace: "+-",
  delete: "-",
  same: " ",
};

const past: Readonly<Record<Operation, string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  same: "unchanged",
};

const planned: Readonly<Record<Operation, string>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
  same: "unchanged",
};

/** Which resource a message is about. */
export interface Subject {
  readonly type: string;
  readonly name: string;
}

/** Keeps what a run did, and tells the user as it happens. */
export class Journal {
  readonly #changes: Change[] = [];
  readonly #counts = new Map<Operation, number>();

  constructor(
    private readonly preview: boolean,
    private readonly write: (text: string) => void = (text) => process.stdout.write(text),
  ) {}

  get changes(): readonly Change[] {
    return this.#changes;
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Something that a resource has to say. */
  say({ type, name }: Subject, text: string): void {
    this.line(`  ${type} ${name}: ${text}`);
  }

  error({ type, name }: Subject, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.line(`error: ${type} (${name}): ${message}`);
  }

  /** A step that is done, or in a preview would be. */
  done(
    operation: Operation,
    { type, name }: Subject,
    changed: readonly string[],
    milliseconds: number,
  ): void {
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + 1);
    if (operation === "same") {
      return;
    }
    this.#changes.push({ operation, type, name, changedInputs: changed });
    const because = changed.length === 0 ? "" : ` [diff: ${changed.join(", ")}]`;
    const outcome = this.preview
      ? planned[operation]
      : `${past[operation]} (${(milliseconds / 1000).toFixed(1)} s)`;
    this.line(`${marks[operation]} ${type} ${name} ${outcome}${because}`);
  }

  summary(seconds: number): void {
    const words = this.preview ? planned : past;
    const counts = [...this.#counts].map(([operation, count]) => `${count} ${words[operation]}`);
    this.line(`Resources: ${counts.join(", ") || "none"}. Duration: ${seconds.toFixed(1)} s`);
  }
}
