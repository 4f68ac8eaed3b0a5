/** A unit file as data: sections in order, each a list of assignments; a key may come again. */
export type Unit = readonly (readonly [section: string, settings: readonly Setting[]])[];
export type Setting = readonly [key: string, value: string | number | boolean];

/** The text of a unit file. Values are written as they are; see `unitWord` for foreign ones. */
export function renderUnit(unit: Unit): string {
  const sections = unit.map(([section, settings]) =>
    [
      `[${section}]`,
      ...settings.map(([key, value]) => `${key}=${settingValue(key, value)}`),
      "",
    ].join("\n"),
  );
  return sections.join("\n");
}

function settingValue(key: string, value: string | number | boolean): string {
  const text = typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
  if (/[\n\r\0]/.test(text)) throw new Error(`${key}= cannot hold a newline`);
  return text;
}

/**
 * A word of ExecStart= or Environment= that means exactly the value: `%` and `$` are specifiers and
 * variables to systemd, and quotes and backslashes are its own (systemd.service(5), COMMAND LINES).
 */
export function unitWord(value: string): string {
  const escaped = value.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[A-Za-z0-9_@%$+=:,./-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
