import { isObject, type Properties, type Wire } from "./wire";

/** Where a value sits inside a resource's properties. */
export type PropertyPath = readonly (string | number)[];

const segment = /\.?([^.[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]/gy;

/**
 * Reads a path as resource options spell it: `a.b`, `a[0]`, `a["x.y"]`, `a[*]`.
 *
 * @throws Error when the text is not such a path
 */
export function parsePropertyPath(text: string): PropertyPath {
  const path: (string | number)[] = [];
  segment.lastIndex = 0;
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text);
    if (match === null) {
      throw new Error(`"${text}" is not a property path`);
    }
    const [, name, index, quoted] = match;
    if (index !== undefined) {
      path.push(index === "*" ? "*" : Number(index));
    } else {
      path.push(name ?? quoted?.replace(/\\(.)/g, "$1") ?? "");
    }
  }
  return path;
}

/** The path as the engine prints it. */
export function formatPropertyPath(path: PropertyPath): string {
  return path
    .map((part, position) => {
      if (typeof part === "number") {
        return `[${part}]`;
      }
      if (!/^[A-Za-z_][\w-]*$/.test(part)) {
        return `[${JSON.stringify(part)}]`;
      }
      return position === 0 ? part : `.${part}`;
    })
    .join("");
}

/** Whether `inner` is the place that `outer` names, or lies below it; `*` names any one part. */
export function pathContains(outer: PropertyPath, inner: PropertyPath): boolean {
  return (
    outer.length <= inner.length &&
    outer.every((part, position) => part === "*" || part === inner[position])
  );
}

function copyAt(target: Wire | undefined, source: Wire | undefined, path: PropertyPath): Wire {
  const [first, ...rest] = path;
  if (first === undefined) {
    return source ?? null;
  }
  if (Array.isArray(target)) {
    const old = Array.isArray(source) ? source : [];
    return target.map((element, position) =>
      (first === "*" || first === position) && position < old.length
        ? copyAt(element, old[position], rest)
        : element,
    );
  }
  if (!isObject(target)) {
    return target ?? null;
  }
  const old = isObject(source) ? source : {};
  const result = { ...target };
  const names = first === "*" ? Object.keys({ ...target, ...old }) : [String(first)];
  for (const name of names) {
    if (rest.length === 0 && old[name] === undefined) {
      delete result[name];
    } else if (rest.length === 0 || result[name] !== undefined) {
      result[name] = copyAt(result[name], old[name], rest);
    }
  }
  return result;
}

/** The new inputs with the ignored places put back to what they were. */
export function ignoreChanges(
  inputs: Properties,
  oldInputs: Properties,
  paths: readonly string[],
): Properties {
  return paths.reduce<Properties>(
    (result, path) => copyAt(result, oldInputs, parsePropertyPath(path)) as Properties,
    inputs,
  );
}
