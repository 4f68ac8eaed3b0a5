import type { PropertyPath } from "../propertyPath";
import type { Properties } from "../wire";

/** What a provider may use while it acts on one resource. */
export interface StepContext {
  readonly name: string;
  /** Shows a line to the user, as coming from this resource. */
  readonly log: (line: string) => void;
  /** How long the step may take, in milliseconds; no limit when absent. */
  readonly timeout?: number;
}

/** What a creation brings into the state. */
export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/**
 * Acts on resources of one type. Inputs and outputs reach it plain, with no secret marked; which of
 * what it returns is secret is said by {@link Provider.secretOutputs} and by the resource.
 */
export interface Provider {
  /** Outputs that are secret whatever the resource says. */
  readonly secretOutputs: readonly string[];
  /** What is wrong with the inputs, in sentences that hold no secret. */
  check(inputs: Properties): string[];
  /** Whether a difference at that place cannot be dealt with by an update. */
  replaces(path: PropertyPath): boolean;
  create(inputs: Properties, context: StepContext): Promise<Created>;
  update(inputs: Properties, outputs: Properties, context: StepContext): Promise<Properties>;
  delete(inputs: Properties, outputs: Properties, context: StepContext): Promise<void>;
}

/** The part of a provider that is the same for values made once and never touched again. */
export const generatedOnce = {
  secretOutputs: [] as readonly string[],
  check: (): string[] => [],
  replaces: (): boolean => true,
  update: (inputs: Properties, outputs: Properties): Promise<Properties> =>
    Promise.resolve({ ...outputs, ...inputs }),
  delete: (): Promise<void> => Promise.resolve(),
};
