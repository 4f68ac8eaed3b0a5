import { Aliases, withRenamedReferences } from "./aliases";
import { Cancellation, CancelledError } from "./cancellation";
import { deleteAll, type DeletionContext } from "./deletions";
import type { Journal } from "./journal";
import { planResource, type Plan } from "./plan";
import { ignoreChanges } from "./propertyPath";
import type { ProviderRegistry } from "./providers/registry";
import type { Registration } from "./registration";
import { deleteBeforeReplacing } from "./replacement";
import type { ResourceState, State } from "./state";
import { Steps } from "./steps";
import { renderDifferences } from "./textDifference";
import { makeUrn, parseUrn, stackType } from "./urn";
import { plainProperties, type Properties } from "./wire";

/** What a deployment works with. */
export interface DeploymentContext {
  readonly state: State;
  readonly registry: ProviderRegistry;
  readonly journal: Journal;
  readonly stack: string;
  readonly project: string;
  readonly preview: boolean;
}

/** One run over a stack: brings what the program registers about, then deletes the rest. */
export class Deployment {
  readonly #seen = new Set<string>();
  readonly #replaced = new Set<string>();
  readonly #steps: Steps;
  readonly #aliases: Aliases;
  readonly #deletion: DeletionContext;
  #running = 0;
  readonly #cancellation = new Cancellation();
  #stackOutputs: Properties = {};
  #idle: () => void = () => undefined;

  /** Settles when the run has failed and everything that was under way has ended. */
  readonly failure: Promise<void>;

  constructor(private readonly context: DeploymentContext) {
    const { state, registry, journal, preview, stack, project } = context;
    const cancellation = this.#cancellation;
    this.#steps = new Steps(state, registry, journal, preview, cancellation);
    this.#aliases = new Aliases(state, stack, project);
    this.#deletion = { state, steps: this.#steps, journal, cancellation, deleted: new Set() };
    this.failure = new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  get failed(): boolean {
    return this.#cancellation.requested;
  }

  get stackOutputs(): Properties {
    return this.#stackOutputs;
  }

  /** Ends the run as failed: what is under way is finished, nothing more is begun. */
  fail(): void {
    this.#cancellation.request();
    if (this.#running === 0) {
      this.#idle();
    }
  }

  /**
   * Brings a resource about. As with the real engine the program never hears of a failure: its
   * registration is left unanswered and the run ends.
   */
  async register(registration: Registration): Promise<ResourceState> {
    const { stack, project, journal } = this.context;
    const { options, type, name } = registration;
    const urn = makeUrn(stack, project, options.parent, type, name);
    if (!this.failed) {
      this.#running += 1;
      try {
        return await this.#bringAbout(urn, registration);
      } catch (error) {
        if (!(error instanceof CancelledError)) {
          journal.error(registration, error);
        }
        this.#cancellation.request();
      } finally {
        this.#running -= 1;
        if (this.failed && this.#running === 0) {
          this.#idle();
        }
      }
    }
    return new Promise(() => undefined);
  }

  registerOutputs(urn: string, outputs: Properties): void {
    if (parseUrn(urn).types.at(-1) === stackType) {
      this.#stackOutputs = outputs;
      return;
    }
    this.#change(urn, (resource) => ({ ...resource, outputs }));
  }

  /** Deletes what the program did not register any more, and keeps the stack's outputs. */
  async finish(): Promise<void> {
    const { state } = this.context;
    if (!this.failed) {
      const condemned = state.resources.filter(
        ({ urn, pendingDelete }) => pendingDelete === true || !this.#seen.has(urn),
      );
      if (!(await deleteAll(condemned, this.#deletion))) {
        this.#cancellation.request();
      }
    }
    const stack = state.resources.find(({ type }) => type === stackType);
    if (stack !== undefined) {
      const kept = this.failed ? stack.outputs : {};
      this.#stackOutputs = { ...kept, ...this.#stackOutputs };
      this.#change(stack.urn, (one) => ({ ...one, outputs: this.#stackOutputs }));
    }
  }

  async #bringAbout(urn: string, asked: Registration): Promise<ResourceState> {
    if (this.#seen.has(urn)) {
      throw new Error(`Duplicate resource URN '${urn}'; try giving it a unique name`);
    }
    this.#seen.add(urn);
    const old = this.#aliases.find(urn, asked);
    const registration =
      old === undefined
        ? asked
        : {
            ...asked,
            inputs: ignoreChanges(asked.inputs, old.inputs, asked.options.ignoreChanges),
          };
    this.#check(registration);
    const provider = registration.custom ? this.context.registry(registration.type) : undefined;
    const plan = planResource(registration, old, provider, this.#replaced);
    const started = Date.now();
    // A replacement starts afresh: what an update would ignore counts for it.
    const wanted = plan.operation === "replace" ? asked : registration;
    const result = await this.#apply(urn, wanted, old, plan);
    const { journal, preview } = this.context;
    journal.done(plan.operation, registration, plan.changed, Date.now() - started);
    if (preview) {
      renderDifferences(plan.differences).forEach((line) => journal.line(`    ${line}`));
    }
    return result;
  }

  #check(registration: Registration): void {
    const { type, custom, inputs, importId } = registration;
    if (!custom) {
      return;
    }
    const provider = this.context.registry(type);
    if (provider === undefined) {
      throw new Error(`the in-process engine does not know ${type}`);
    }
    if (importId !== undefined) {
      throw new Error("the in-process engine does not know the option import");
    }
    const failures = provider.check(plainProperties(inputs));
    if (failures.length > 0) {
      throw new Error(failures.join("; "));
    }
  }

  async #apply(
    urn: string,
    registration: Registration,
    old: ResourceState | undefined,
    { operation }: Plan,
  ): Promise<ResourceState> {
    if (old === undefined) {
      return this.#put(await this.#steps.create(urn, registration));
    }
    switch (operation) {
      case "same":
        return this.#put(this.#steps.same(urn, old, registration), old.urn);
      case "update":
        return this.#put(await this.#steps.update(urn, old, registration), old.urn);
      default:
        return this.#replace(urn, old, registration);
    }
  }

  async #replace(
    urn: string,
    old: ResourceState,
    registration: Registration,
  ): Promise<ResourceState> {
    const { registry } = this.context;
    if (old.options.protect && registration.options.protect) {
      throw new Error(
        `unable to replace resource "${urn}"\nas it is currently marked for protection. To ` +
          "unprotect the resource, remove the `protect` flag from the resource in your Pulumi " +
          "program and run `pulumi up`",
      );
    }
    this.#replaced.add(urn);
    if (registration.deleteBeforeReplace || old.pendingReplacement === true) {
      await deleteBeforeReplacing(old, this.#seen, registry, this.#deletion);
      return this.#put(await this.#steps.create(urn, registration), old.urn);
    }
    const created = await this.#steps.create(urn, registration);
    this.#change(old.urn, (one) => ({ ...one, pendingDelete: true as const }));
    return this.#put(created, old.urn);
  }

  /** Puts a resource at the end of the state, in the place of the living one it had been. */
  #put(resource: ResourceState, formerUrn: string = resource.urn): ResourceState {
    const former = this.context.state.find(formerUrn);
    this.context.state.change((resources) => [
      ...resources
        .filter((other) => other !== former)
        .map((other) =>
          formerUrn === resource.urn
            ? other
            : withRenamedReferences(other, formerUrn, resource.urn),
        ),
      resource,
    ]);
    return resource;
  }

  #change(urn: string, edit: (resource: ResourceState) => ResourceState): void {
    const target = this.context.state.find(urn);
    this.context.state.change((resources) =>
      resources.map((resource) => (resource === target ? edit(resource) : resource)),
    );
  }
}
