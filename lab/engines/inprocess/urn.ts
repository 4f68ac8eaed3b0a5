/** The parts of a resource's identity. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** The types of the resource and of its ancestors below the stack, outermost first. */
  readonly types: readonly string[];
  readonly name: string;
}

/** The type of the resource that stands for the stack itself. */
export const stackType = "pulumi:pulumi:Stack";

export function parseUrn(urn: string): UrnParts {
  const [head = "", project = "", types = "", ...name] = urn.split("::");
  return {
    stack: head.split(":").slice(2).join(":"),
    project,
    types: types.split("$"),
    name: name.join("::"),
  };
}

/** Composes a resource's identity; the stack, parent of everything, does not show in it. */
export function makeUrn(
  stack: string,
  project: string,
  parent: string | undefined,
  type: string,
  name: string,
): string {
  const above = parent === undefined ? [] : parseUrn(parent).types.filter((at) => at !== stackType);
  return `urn:pulumi:${stack}::${project}::${[...above, type].join("$")}::${name}`;
}
