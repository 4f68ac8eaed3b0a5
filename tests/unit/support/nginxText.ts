/** A directive as nginx reads it: its words without their quotes, and its block if it has one. */
export interface ParsedDirective {
  readonly words: readonly string[];
  readonly block?: readonly ParsedDirective[];
}

/** Reads a configuration file by the rules of nginx's own reader (ngx_conf_read_token). */
export function parseNginx(text: string): ParsedDirective[] {
  const reader = new Reader(text);
  const directives = reader.block();
  if (!reader.isAtEnd()) throw new Error("there is a } too many");
  return directives;
}

/** All directives of a name, at any depth, with the words of the blocks around them. */
export function findDirectives(
  directives: readonly ParsedDirective[],
  name: string,
  around: readonly string[] = [],
): { words: readonly string[]; around: readonly string[] }[] {
  return directives.flatMap(({ words, block = [] }) => [
    ...(words[0] === name ? [{ words, around }] : []),
    ...findDirectives(block, name, [...around, words.join(" ")]),
  ]);
}

class Reader {
  private position = 0;

  public constructor(private readonly text: string) {}

  public isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  public block(): ParsedDirective[] {
    const directives: ParsedDirective[] = [];
    let words: string[] = [];
    for (;;) {
      this.skipBlanksAndComments();
      const character = this.text[this.position];
      if (character === undefined || character === "}") {
        if (words.length > 0) throw new Error(`no ; behind ${words.join(" ")}`);
        return directives;
      }
      if (character === ";" || character === "{") {
        this.position += 1;
        if (words.length === 0) throw new Error(`nothing in front of ${character}`);
        directives.push(
          character === ";" ? { words } : { words, block: this.closed(this.block()) },
        );
        words = [];
      } else {
        words.push(this.word());
      }
    }
  }

  private closed(block: ParsedDirective[]): ParsedDirective[] {
    if (this.text[this.position] !== "}") throw new Error("a } is missing");
    this.position += 1;
    return block;
  }

  private skipBlanksAndComments(): void {
    const found = /^(?:[ \t\r\n]+|#[^\n]*)*/.exec(this.text.slice(this.position));
    this.position += found?.[0].length ?? 0;
  }

  private word(): string {
    const quote = /["']/.test(this.text[this.position] ?? "")
      ? this.text[this.position]
      : undefined;
    if (quote !== undefined) this.position += 1;
    let word = "";
    for (;;) {
      const character = this.text[this.position];
      if (character === undefined) throw new Error("the file ends in a word");
      if (quote === undefined ? /[ \t\r\n;{]/.test(character) : character === quote) break;
      word += this.character(character);
    }
    if (quote !== undefined) this.endOfQuotes();
    return word;
  }

  /** A backslash means something in front of a few characters and stands for itself elsewhere. */
  private character(character: string): string {
    const next = this.text[this.position + 1] ?? "";
    const escaped = { '"': '"', "'": "'", "\\": "\\", t: "\t", r: "\r", n: "\n" }[next];
    if (character === "\\" && escaped !== undefined) {
      this.position += 2;
      return escaped;
    }
    this.position += 1;
    return character;
  }

  private endOfQuotes(): void {
    this.position += 1;
    if (!/^[ \t\r\n;{)]/.test(this.text.slice(this.position))) {
      throw new Error("a blank, ; or { must follow the closing quote");
    }
  }
}
