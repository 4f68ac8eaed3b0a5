/** A word of a shell command line that means exactly the value, whatever is in it. */
export function shellQuote(value: string): string {
  if (value.includes("\0")) throw new Error("a NUL cannot stand in a command line");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A command line of a program and its arguments. */
export function shellCommand(words: readonly (string | number)[]): string {
  return words.map((word) => shellQuote(String(word))).join(" ");
}
