import { isDeepStrictEqual } from "node:util";

import type { PropertyPath } from "./propertyPath";
import { isObject, signatureOf, type Properties, type Wire } from "./wire";

/** One place at which two sets of inputs differ. */
export interface PropertyDifference {
  readonly path: PropertyPath;
  readonly before: Wire | undefined;
  readonly after: Wire | undefined;
}

function isPlainObject(value: Wire | undefined): value is { [key: string]: Wire } {
  return isObject(value) && signatureOf(value) === undefined;
}

function compare(
  path: PropertyPath,
  before: Wire | undefined,
  after: Wire | undefined,
  found: PropertyDifference[],
): void {
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      compare([...path, index], before[index], after[index], found);
    }
  } else if (isPlainObject(before) && isPlainObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare([...path, name], before[name], after[name], found);
    }
  } else if (!isDeepStrictEqual(before ?? null, after ?? null)) {
    found.push({ path, before, after });
  }
}

/**
 * Compares inputs as the command provider does: a secret is one value, whatever is inside it, and
 * to become secret is a change.
 */
export function propertyDifferences(before: Properties, after: Properties): PropertyDifference[] {
  const found: PropertyDifference[] = [];
  compare([], before, after, found);
  return found;
}

/** The top-level inputs in which the differences lie. */
export function changedInputs(differences: readonly PropertyDifference[]): string[] {
  return [...new Set(differences.map(({ path }) => String(path[0])))].sort();
}
