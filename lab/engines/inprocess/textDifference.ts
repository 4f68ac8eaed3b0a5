import type { PropertyDifference } from "./propertyDifference";
import { formatPropertyPath } from "./propertyPath";
import { containsUnknown, isSecret, redacted, type Wire } from "./wire";

const context = 2;
// Beyond this the table of the comparison would cost more than anyone reads.
const largestTable = 4_000_000;

type Line = { readonly mark: " " | "+" | "-"; readonly text: string };

function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const lengths = before.map(() => new Uint32Array(after.length + 1));
  lengths.push(new Uint32Array(after.length + 1));
  for (let row = before.length - 1; row >= 0; row -= 1) {
    const here = lengths[row]!;
    const below = lengths[row + 1]!;
    for (let column = after.length - 1; column >= 0; column -= 1) {
      here[column] =
        before[row] === after[column]
          ? below[column + 1]! + 1
          : Math.max(below[column]!, here[column + 1]!);
    }
  }
  return lengths;
}

function compareLines(before: readonly string[], after: readonly string[]): Line[] {
  const removed = before.map((text): Line => ({ mark: "-", text }));
  const added = after.map((text): Line => ({ mark: "+", text }));
  if (before.length * after.length > largestTable) {
    return [...removed, ...added];
  }
  const lengths = commonLengths(before, after);
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ mark: " ", text: before[row]! });
      row += 1;
      column += 1;
    } else if (lengths[row + 1]![column]! >= lengths[row]![column + 1]!) {
      lines.push(removed[row]!);
      row += 1;
    } else {
      lines.push(added[column]!);
      column += 1;
    }
  }
  return [...lines, ...removed.slice(row), ...added.slice(column)];
}

/** The difference of two texts, line by line, with unchanged stretches cut short. */
export function lineDifference(before: string, after: string): string[] {
  const lines = compareLines(before.split("\n"), after.split("\n"));
  const near = lines.map((_, position) =>
    lines
      .slice(Math.max(0, position - context), position + context + 1)
      .some(({ mark }) => mark !== " "),
  );
  return lines.flatMap(({ mark, text }, position) => {
    if (near[position]) {
      return [`${mark} ${text}`];
    }
    return position === 0 || near[position - 1] ? ["  ..."] : [];
  });
}

function display(value: Wire | undefined): string {
  if (value === undefined) {
    return "(none)";
  }
  return containsUnknown(value) ? "[unknown]" : JSON.stringify(redacted(value));
}

function isText(value: Wire | undefined): value is string {
  return typeof value === "string" && !containsUnknown(value);
}

/** What a preview prints of the places in which inputs differ. */
export function renderDifferences(differences: readonly PropertyDifference[]): string[] {
  return differences.flatMap(({ path, before, after }) => {
    const name = formatPropertyPath(path);
    if (isText(before) && isText(after) && (before.includes("\n") || after.includes("\n"))) {
      return [`~ ${name}:`, ...lineDifference(before, after).map((line) => `    ${line}`)];
    }
    const mark = before === undefined ? "+" : after === undefined ? "-" : "~";
    const hidden = isSecret(before) && isSecret(after);
    return [
      `${mark} ${name}: ${hidden ? "[secret] => [secret]" : `${display(before)} => ${display(after)}`}`,
    ];
  });
}
