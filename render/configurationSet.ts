import { shellCommand } from "./shell";

/** Where the programs of `host/` are put on a host. */
export const HOST_PROGRAMS = "/usr/local/lib/nix-binary-cache";

/** The command line of one of those programs. */
export function hostProgram(name: string, ...words: readonly (string | number)[]): string {
  return shellCommand([`${HOST_PROGRAMS}/${name}`, ...words]);
}

/** One line of a set, with the content of its file below it; `host/configuration-set.md` lists all. */
export type SetLine = string;

export function file(path: string, content: string, owner = "root:root", mode = "0644"): SetLine {
  if (content !== "" && !content.endsWith("\n")) throw new Error(`${path} must end with a newline`);
  if (content.includes("\0") || content.includes("\r")) {
    throw new Error(`${path} may not hold NUL or carriage return`);
  }
  const lines = content.split("\n").slice(0, -1);
  return [
    `file ${path} ${owner} ${mode}`,
    ...lines.map((line) => (line === "" ? "|" : `| ${line}`)),
  ].join("\n");
}

export function directory(path: string, owner = "root:root", mode = "0755"): SetLine {
  return `directory ${path} ${owner} ${mode}`;
}

type Action = "run" | "check" | "enable" | "restart" | "try-restart" | "reload" | "made" | "group";

export function line(action: Action, words: string): SetLine {
  return `${action} ${oneLine(words)}`;
}

export function user(name: string, home: string): SetLine {
  return `user ${name} ${home}`;
}

/** A file of somebody else, changed by a program that can take its change out again. */
export function filter(path: string, program: string, ...words: readonly string[]): SetLine {
  return `filter ${path} ${oneLine([program, ...words].join(" "))}`;
}

/** A command that must succeed within that many seconds once everything else is done. */
export function probe(seconds: number, command: string): SetLine {
  return `probe ${seconds} ${oneLine(command)}`;
}

/** The text of a set, as `configuration-set apply` reads it. */
export function configurationSet(name: string, lines: readonly SetLine[]): string {
  return [`configuration-set 1 ${name}`, ...lines, ""].join("\n");
}

function oneLine(words: string): string {
  if (/[\n\r\0]/.test(words))
    throw new Error("a line of a configuration set cannot hold a newline");
  return words;
}
