import { CancelledError, type Cancellation } from "./cancellation";
import { deletionGroups, transitiveDependencies } from "./graph";
import type { Journal } from "./journal";
import type { ResourceState, State } from "./state";
import type { Steps } from "./steps";

/** What deletions work with. */
export interface DeletionContext {
  readonly state: State;
  readonly steps: Steps;
  readonly journal: Journal;
  readonly cancellation: Cancellation;
  /** The identities that this run deletes, to which deletions that follow are added. */
  readonly deleted: Set<string>;
}

function refusal(urn: string): Error {
  return new Error(
    `resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, ` +
      "either remove the `protect` flag from the resource in your Pulumi program and run " +
      `\`pulumi up\`, or use the command:\n\`pulumi state unprotect '${urn}'\``,
  );
}

/** Takes away what the resource stands for, unless its options say that nothing is to be done. */
export async function deleteUnlessSpared(
  resource: ResourceState,
  { steps, deleted }: DeletionContext,
): Promise<void> {
  const { retainOnDelete, deletedWith } = resource.options;
  const gone = deletedWith !== undefined && deleted.has(deletedWith);
  if (!retainOnDelete && !gone) {
    await steps.delete(resource);
  }
}

async function deleteOne(resource: ResourceState, context: DeletionContext): Promise<void> {
  const { state, journal } = context;
  const started = Date.now();
  const gone = resource.pendingReplacement === true;
  if (!gone) {
    await deleteUnlessSpared(resource, context);
  }
  state.change((resources) => resources.filter((other) => other !== resource));
  if (resource.pendingDelete === true) {
    journal.line(`-- ${resource.type} ${resource.name} deleted original`);
  } else if (!gone) {
    journal.done("delete", resource, [], Date.now() - started);
  }
}

/**
 * Deletes resources, dependents first. A protected one is refused, and what it depends on stays
 * as well; after any other failure nothing more is begun.
 *
 * @returns whether all went well
 */
export async function deleteAll(
  condemned: readonly ResourceState[],
  context: DeletionContext,
): Promise<boolean> {
  const { state, journal, deleted, cancellation } = context;
  condemned.forEach(({ urn }) => deleted.add(urn));
  const spared = new Set<ResourceState>();
  let refused = false;
  for (const group of deletionGroups(condemned)) {
    const attempts = group
      .filter((resource) => !spared.has(resource))
      .map(async (resource) => {
        if (resource.options.protect && resource.pendingDelete !== true) {
          journal.error(resource, refusal(resource.urn));
          transitiveDependencies([resource], state.resources).forEach((one) => spared.add(one));
          refused = true;
          return;
        }
        try {
          await deleteOne(resource, context);
        } catch (error) {
          if (!(error instanceof CancelledError)) {
            journal.error(resource, error);
          }
          cancellation.request();
        }
      });
    await Promise.all(attempts);
    if (cancellation.requested) {
      return false;
    }
  }
  return !refused;
}
