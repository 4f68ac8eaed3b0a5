/** A secret value of the configuration. It shows itself only when asked by `reveal()`. */
export class SecretText {
  readonly #text: string;

  public constructor(text: string) {
    this.#text = text;
  }

  public reveal(): string {
    return this.#text;
  }

  public toString(): string {
    return "[secret]";
  }

  public toJSON(): string {
    return "[secret]";
  }
}
