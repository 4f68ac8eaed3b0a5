import { deleteUnlessSpared, type DeletionContext } from "./deletions";
import { deletionGroups, dependentsOf } from "./graph";
import { replacedAlong } from "./plan";
import type { ProviderRegistry } from "./providers/registry";
import { engineRules } from "./rules";
import type { ResourceState } from "./state";

/**
 * Deletes a resource that is replaced by a new one afterwards, and before it those that cannot do
 * without it. What is gone stays in the state as waiting for its successor.
 *
 * @param seen the resources that the program has registered in this run: they are done with
 * @throws Error when one of them is protected, or something else fails in the meantime
 */
export async function deleteBeforeReplacing(
  root: ResourceState,
  seen: ReadonlySet<string>,
  registry: ProviderRegistry,
  context: DeletionContext,
): Promise<void> {
  const { state, journal, deleted, cancellation } = context;
  const candidates = dependentsOf(root, state.resources).filter(({ urn }) => !seen.has(urn));
  const along = replacedAlong(root, candidates, registry);
  const shielded = along.find(({ options }) => options.protect);
  if (shielded !== undefined) {
    throw new Error(
      `unable to replace resource "${shielded.urn}" as part of replacing "${root.urn}" ` +
        "as it is currently marked for protection",
    );
  }
  const condemned = [...along, root].filter(
    ({ pendingReplacement, pendingDelete }) =>
      pendingReplacement === undefined && pendingDelete === undefined,
  );
  // Until 3.259 the engine does not count the replaced one itself as deleted.
  const counted = engineRules().replaceWhatIsDeletedWith ? condemned : condemned.slice(0, -1);
  counted.forEach(({ urn }) => deleted.add(urn));
  for (const resource of deletionGroups(condemned).flat()) {
    cancellation.check();
    await deleteUnlessSpared(resource, context);
    journal.line(`-- ${resource.type} ${resource.name} deleted for its replacement`);
    const now = state.find(resource.urn);
    state.change((resources) =>
      resources.map((other) =>
        other === now ? { ...other, pendingReplacement: true as const } : other,
      ),
    );
  }
  cancellation.check();
}
