import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";

import type { Cancellation } from "./cancellation";
import type { Journal } from "./journal";
import type { Provider, StepContext } from "./providers/provider";
import type { ProviderRegistry } from "./providers/registry";
import type { Registration, Timeouts } from "./registration";
import type { PendingOperation, ResourceState, State } from "./state";
import { plain, plainProperties, withSecretOutputs, type Properties } from "./wire";

/** Lets so many things happen at the same time and makes the others wait. */
class Limiter {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<Value>(action: () => Promise<Value>): Promise<Value> {
    if (this.#free === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#free -= 1;
    }
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#free += 1;
      } else {
        next();
      }
    }
  }
}

/** Gives outputs that repeat an input the secrecy of that input. */
function inheritSecrets(outputs: Properties, inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const input = inputs[name];
      const repeated = input !== undefined && isDeepStrictEqual(plain(input), value);
      return [name, repeated ? input : value];
    }),
  );
}

/** The steps that touch the world; in a preview they only foretell. */
export class Steps {
  // As many as the real engine runs at a time.
  readonly #limiter = new Limiter(4 * availableParallelism());

  constructor(
    private readonly state: State,
    private readonly registry: ProviderRegistry,
    private readonly journal: Journal,
    private readonly preview: boolean,
    private readonly cancellation: Cancellation,
  ) {}

  /** Creates a resource; the result is not in the state yet. */
  async create(urn: string, registration: Registration): Promise<ResourceState> {
    const provider = this.#provider(registration);
    if (provider === undefined || this.preview) {
      return this.#describe(urn, registration, registration.inputs, provider);
    }
    const created = await this.#run({ urn, operation: "creating" }, () =>
      provider.create(
        plainProperties(registration.inputs),
        this.#context(registration, registration.options.timeouts, "create"),
      ),
    );
    const outputs = inheritSecrets(created.outputs, registration.inputs);
    return { ...this.#describe(urn, registration, outputs, provider), id: created.id };
  }

  /** Updates a resource; the result is not in the state yet. */
  async update(
    urn: string,
    old: ResourceState,
    registration: Registration,
  ): Promise<ResourceState> {
    const provider = this.#provider(registration);
    const { id } = old;
    const identity = id === undefined ? {} : { id };
    if (provider === undefined || this.preview) {
      const outputs = provider === undefined ? old.outputs : registration.inputs;
      return { ...this.#describe(urn, registration, outputs, provider), ...identity };
    }
    const updated = await this.#run({ urn, operation: "updating" }, () =>
      provider.update(
        plainProperties(registration.inputs),
        plainProperties(old.outputs),
        this.#context(registration, registration.options.timeouts, "update"),
      ),
    );
    const outputs = inheritSecrets(updated, registration.inputs);
    return { ...this.#describe(urn, registration, outputs, provider), ...identity };
  }

  /** A resource that stays as it is, with the options it has now. */
  same(urn: string, old: ResourceState, registration: Registration): ResourceState {
    const { id } = old;
    const described = this.#describe(urn, registration, old.outputs, this.#provider(registration));
    return { ...described, ...(id === undefined ? {} : { id }) };
  }

  /** Deletes what a resource stands for, as its recorded inputs say; the state keeps it. */
  async delete(old: ResourceState): Promise<void> {
    const provider = this.#provider(old);
    if (provider === undefined || this.preview) {
      return;
    }
    await this.#run({ urn: old.urn, operation: "deleting" }, () =>
      provider.delete(
        plainProperties(old.inputs),
        plainProperties(old.outputs),
        this.#context(old, old.options.timeouts, "delete"),
      ),
    );
  }

  #provider({ type, custom }: { type: string; custom: boolean }): Provider | undefined {
    if (!custom) {
      return undefined;
    }
    const provider = this.registry(type);
    if (provider === undefined) {
      throw new Error(`the in-process engine does not know ${type}`);
    }
    return provider;
  }

  #context(
    subject: { type: string; name: string },
    timeouts: Timeouts,
    operation: keyof Timeouts,
  ): StepContext {
    const timeout = timeouts[operation];
    return {
      name: subject.name,
      log: (line) => this.journal.say(subject, line),
      ...(timeout === undefined ? {} : { timeout }),
    };
  }

  async #run<Value>(operation: PendingOperation, action: () => Promise<Value>): Promise<Value> {
    return this.#limiter.run(async () => {
      this.cancellation.check();
      const end = this.state.begin(operation);
      try {
        return await action();
      } finally {
        end();
      }
    });
  }

  #describe(
    urn: string,
    { type, name, custom, inputs, options }: Registration,
    outputs: Properties,
    provider: Provider | undefined,
  ): ResourceState {
    const secret = [...(provider?.secretOutputs ?? []), ...options.additionalSecretOutputs];
    return {
      ...{ urn, type, name, custom, inputs, options },
      outputs: withSecretOutputs(outputs, secret),
    };
  }
}
