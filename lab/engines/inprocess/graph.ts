import type { ResourceState } from "./state";

function needsOf({ options }: ResourceState): Set<string> {
  return new Set(
    [
      ...options.dependencies,
      ...Object.values(options.propertyDependencies).flat(),
      ...options.replaceWith,
      options.deletedWith,
    ].filter((urn) => urn !== undefined),
  );
}

/** The identities that must outlive a resource: what it needs, and its parent. */
export function dependenciesOf(resource: ResourceState): Set<string> {
  const { parent } = resource.options;
  return new Set([...needsOf(resource), ...(parent === undefined ? [] : [parent])]);
}

/** All that the resources need, directly or through others. */
export function transitiveDependencies(
  start: readonly ResourceState[],
  all: readonly ResourceState[],
): Set<ResourceState> {
  const found = new Set<ResourceState>();
  const queue = [...start];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    const dependencies = dependenciesOf(one);
    for (const other of all) {
      if (other !== one && !found.has(other) && dependencies.has(other.urn)) {
        found.add(other);
        queue.push(other);
      }
    }
  }
  return found;
}

/** All that need a resource, directly or through others; to be its child is not to need it. */
export function dependentsOf(start: ResourceState, all: readonly ResourceState[]): ResourceState[] {
  const found = new Set<ResourceState>();
  const queue = [start];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    for (const other of all) {
      if (other !== start && !found.has(other) && needsOf(other).has(one.urn)) {
        found.add(other);
        queue.push(other);
      }
    }
  }
  return all.filter((one) => found.has(one));
}

/**
 * The groups in which resources are deleted: those within a group at the same time, the groups one
 * after the other, dependents first.
 */
export function deletionGroups(condemned: readonly ResourceState[]): ResourceState[][] {
  const left = new Set(condemned);
  const groups: ResourceState[][] = [];
  while (left.size > 0) {
    const urns = new Set([...left].map(({ urn }) => urn));
    const group = [...left].filter((one) => {
      const dependencies = dependenciesOf(one);
      dependencies.delete(one.urn);
      return ![...dependencies].some((urn) => urns.has(urn));
    });
    // Dependencies cannot be circular; should a state say so all the same, end rather than hang.
    const next = group.length > 0 ? group : [...left];
    next.forEach((one) => left.delete(one));
    groups.push(next);
  }
  return groups.reverse();
}
