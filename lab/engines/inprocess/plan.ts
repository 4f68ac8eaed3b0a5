import { isDeepStrictEqual } from "node:util";

import { changedInputs, propertyDifferences, type PropertyDifference } from "./propertyDifference";
import { parsePropertyPath, pathContains } from "./propertyPath";
import type { Provider } from "./providers/provider";
import type { Registration } from "./registration";
import { engineRules } from "./rules";
import type { ResourceState } from "./state";
import { containsUnknown, plain } from "./wire";

/** What has to be done to one resource. */
export interface Plan {
  readonly operation: "create" | "update" | "replace" | "same";
  readonly differences: readonly PropertyDifference[];
  readonly changed: readonly string[];
}

function triggersReplacement(registration: Registration, old: ResourceState): boolean {
  const after = registration.options.replacementTrigger ?? null;
  const before = old.options.replacementTrigger ?? null;
  if (containsUnknown(after) || containsUnknown(before)) {
    return true;
  }
  const bothSet = after !== null && before !== null;
  return bothSet && !isDeepStrictEqual(plain(after), plain(before));
}

function needsReplacement(
  differences: readonly PropertyDifference[],
  registration: Registration,
  provider: Provider,
): boolean {
  const patterns = registration.options.replaceOnChanges.map(parsePropertyPath);
  return differences.some(
    ({ path }) =>
      provider.replaces(path) || patterns.some((pattern) => pathContains(pattern, path)),
  );
}

/**
 * Decides what has to be done to a resource.
 *
 * @param provider absent for a component
 * @param replaced the resources that this run replaces
 */
export function planResource(
  registration: Registration,
  old: ResourceState | undefined,
  provider: Provider | undefined,
  replaced: ReadonlySet<string>,
): Plan {
  if (old === undefined) {
    return { operation: "create", differences: [], changed: [] };
  }
  const differences = propertyDifferences(old.inputs, registration.inputs);
  // Of a component the real engine says only that it changes.
  const changed = provider === undefined ? [] : changedInputs(differences);
  const { replaceWith, deletedWith } = registration.options;
  if (replaceWith.some((urn) => replaced.has(urn))) {
    return { operation: "replace", differences, changed: ["replaceWith"] };
  }
  const { replaceWhatIsDeletedWith } = engineRules();
  if (replaceWhatIsDeletedWith && deletedWith !== undefined && replaced.has(deletedWith)) {
    return { operation: "replace", differences, changed: ["deletedWith"] };
  }
  if (old.pendingReplacement === true || triggersReplacement(registration, old)) {
    return { operation: "replace", differences, changed };
  }
  if (differences.length === 0) {
    return { operation: "same", differences, changed };
  }
  const replace = provider !== undefined && needsReplacement(differences, registration, provider);
  return { operation: replace ? "replace" : "update", differences, changed };
}

/**
 * The resources that have to go before a resource that is deleted before it is replaced: those
 * whose own replacement would follow from it.
 */
export function replacedAlong(
  root: ResourceState,
  dependents: readonly ResourceState[],
  providerOf: (type: string) => Provider | undefined,
): ResourceState[] {
  const condemned = new Set([root.urn]);
  const replacedByValue = (one: ResourceState): boolean =>
    Object.entries(one.options.propertyDependencies).some(([property, urns]) => {
      const path = [property];
      const patterns = one.options.replaceOnChanges.map(parsePropertyPath);
      return (
        urns.some((urn) => condemned.has(urn)) &&
        !one.options.ignoreChanges.includes(property) &&
        (providerOf(one.type)?.replaces(path) === true ||
          patterns.some((pattern) => pattern[0] === property))
      );
    });
  const found: ResourceState[] = [];
  // Whatever is found condemns more; a state need not be in the order of its dependencies.
  for (let more = true; more;) {
    more = false;
    for (const one of dependents) {
      const { deletedWith, replaceWith } = one.options;
      const along =
        (engineRules().replaceWhatIsDeletedWith &&
          deletedWith !== undefined &&
          condemned.has(deletedWith)) ||
        replaceWith.includes(root.urn);
      if (one.custom && !condemned.has(one.urn) && (along || replacedByValue(one))) {
        condemned.add(one.urn);
        found.push(one);
        more = true;
      }
    }
  }
  return found;
}
