/** A directive of nginx: its words, and its block if it has one. A string is a comment. */
export type Directive = readonly [words: readonly string[], block?: readonly Directive[]] | string;

/** A directive without a block: `directive("listen", "80")`. */
export function directive(...words: readonly string[]): Directive {
  return [words];
}

export function block(words: readonly string[], ...inner: readonly Directive[]): Directive {
  return [words, inner];
}

/** The text of a configuration file. */
export function renderNginx(directives: readonly Directive[], indent = ""): string {
  return directives
    .map((entry) => {
      if (typeof entry === "string") return `${indent}# ${entry}\n`;
      const [words, inner] = entry;
      const spelled = words.map(spellWord).join(" ");
      if (inner === undefined) return `${indent}${spelled};\n`;
      return `${indent}${spelled} {\n${renderNginx(inner, `${indent}    `)}${indent}}\n`;
    })
    .join("");
}

function spellWord(word: string): string {
  if (/[\n\r\0]/.test(word)) throw new Error("a word of an nginx directive cannot hold a newline");
  if (/^[^\s;{}"'\\#]+$/.test(word)) return word;
  return `'${word.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A foreign value as a word: nginx has no way to write a `$` that is no variable. */
export function nginxValue(value: string): string {
  if (value.includes("$"))
    throw new Error(`nginx cannot be told ${JSON.stringify(value)}: it holds a $`);
  return value;
}
