import type { AliasSpecification, Registration } from "./registration";
import type { ResourceState, State } from "./state";
import { makeUrn, parseUrn } from "./urn";

/** Finds resources in the state under the identities that they had before. */
export class Aliases {
  /** The old identity of every resource that was found under one, by its new identity. */
  readonly #used = new Map<string, string>();

  constructor(
    private readonly state: State,
    private readonly stack: string,
    private readonly project: string,
  ) {}

  /** The resource as the state has it, be it under an old identity. */
  find(urn: string, registration: Registration): ResourceState | undefined {
    const own = this.state.find(urn);
    if (own !== undefined) {
      return own;
    }
    for (const candidate of this.#candidates(registration)) {
      const old = this.state.find(candidate);
      if (old !== undefined) {
        this.#used.set(urn, candidate);
        return old;
      }
    }
    return undefined;
  }

  #candidates(registration: Registration): string[] {
    const { aliases, name, type, options } = registration;
    const explicit = aliases.map((alias) => this.#resolve(alias, registration));
    const { parent } = options;
    const parentAlias = parent === undefined ? undefined : this.#used.get(parent);
    if (parent === undefined || parentAlias === undefined) {
      return explicit;
    }
    const inherited = (childType: string, childName: string): string => {
      const parentName = parseUrn(parent).name;
      const before = childName.startsWith(parentName)
        ? parseUrn(parentAlias).name + childName.slice(parentName.length)
        : childName;
      return makeUrn(this.stack, this.project, parentAlias, childType, before);
    };
    const multiplied = explicit.map((urn) => {
      const parts = parseUrn(urn);
      return inherited(parts.types.at(-1) ?? type, parts.name);
    });
    return [...explicit, inherited(type, name), ...multiplied];
  }

  #resolve(alias: AliasSpecification, { name, type, options }: Registration): string {
    if (alias.urn !== undefined) {
      return alias.urn;
    }
    const named = alias.parent ?? options.parent;
    const parent = named === undefined ? undefined : (this.#used.get(named) ?? named);
    return makeUrn(
      this.stack,
      this.project,
      alias.withoutParent ? undefined : parent,
      alias.type ?? type,
      alias.name ?? name,
    );
  }
}

/** The resource with every mention of one identity turned into another. */
export function withRenamedReferences(
  resource: ResourceState,
  before: string,
  after: string,
): ResourceState {
  const renamed = (urn: string): string => (urn === before ? after : urn);
  const { options } = resource;
  const { parent, deletedWith } = options;
  return {
    ...resource,
    options: {
      ...options,
      ...(parent === undefined ? {} : { parent: renamed(parent) }),
      ...(deletedWith === undefined ? {} : { deletedWith: renamed(deletedWith) }),
      dependencies: options.dependencies.map(renamed),
      replaceWith: options.replaceWith.map(renamed),
      propertyDependencies: Object.fromEntries(
        Object.entries(options.propertyDependencies).map(([property, urns]) => [
          property,
          urns.map(renamed),
        ]),
      ),
    },
  };
}
