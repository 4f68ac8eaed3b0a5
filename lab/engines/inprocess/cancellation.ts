/** Thrown in the place of a step that is not begun any more. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";

  constructor() {
    super("not begun, because something else failed");
  }
}

/** Tells all parts of a run that something has failed: no further step is begun. */
export class Cancellation {
  #requested = false;

  get requested(): boolean {
    return this.#requested;
  }

  request(): void {
    this.#requested = true;
  }

  /** @throws CancelledError when something has failed */
  check(): void {
    if (this.#requested) {
      throw new CancelledError();
    }
  }
}
