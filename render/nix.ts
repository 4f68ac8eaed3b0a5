/** A value that can be written as a Nix expression. */
export type NixValue =
  string | number | boolean | null | readonly NixValue[] | { readonly [name: string]: NixValue };

/** The value as a Nix expression, laid out as nixfmt does; attributes are sorted. */
export function renderNix(value: NixValue, indent = ""): string {
  if (typeof value === "string") return nixString(value);
  if (typeof value === "number") return renderNumber(value);
  if (typeof value === "boolean" || value === null) return String(value);
  const inner = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return "[ ]";
    const elements = value.map((element) => renderElement(element, inner));
    if (elements.length === 1 && isSimple(value[0])) return `[ ${elements.join(" ")} ]`;
    return `[\n${elements.map((element) => `${inner}${element}\n`).join("")}${indent}]`;
  }
  const names = Object.keys(value).sort();
  if (names.length === 0) return "{ }";
  const bindings = names.map(
    (name) => `${inner}${attributeName(name)} = ${renderNix(value[name] ?? null, inner)};\n`,
  );
  return `{\n${bindings.join("")}${indent}}`;
}

/** A string literal that means exactly the text. */
export function nixString(text: string): string {
  if (text.includes("\0")) throw new Error("a Nix string cannot hold a NUL");
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("${", "\\${")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

const KEYWORDS = new Set([
  "assert",
  "else",
  "if",
  "in",
  "inherit",
  "let",
  "or",
  "rec",
  "then",
  "with",
]);

function attributeName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) && !KEYWORDS.has(name) ? name : nixString(name);
}

function renderNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not a whole number`);
  return String(value);
}

/** In a list a negative number would be read as a subtraction. */
function renderElement(value: NixValue, indent: string): string {
  const text = renderNix(value, indent);
  return typeof value === "number" && value < 0 ? `(${text})` : text;
}

function isList(value: NixValue): value is readonly NixValue[] {
  return Array.isArray(value);
}

function isSimple(value: NixValue | undefined): boolean {
  return typeof value !== "object" || value === null;
}
