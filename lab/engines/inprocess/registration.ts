import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

import type { Properties, Wire } from "./wire";

/** Another identity under which a resource may be in the state. */
export interface AliasSpecification {
  readonly urn?: string;
  readonly name?: string;
  readonly type?: string;
  readonly parent?: string;
  readonly withoutParent: boolean;
}

/** How long each operation may take, in milliseconds. */
export interface Timeouts {
  readonly create?: number;
  readonly update?: number;
  readonly delete?: number;
}

/** The options of a resource that outlive the run, because they rule its deletion. */
export interface RecordedOptions {
  readonly parent?: string;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deletedWith?: string;
  readonly replaceWith: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly replacementTrigger?: Wire;
  readonly timeouts: Timeouts;
}

/** What the program asks for when it constructs a resource. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly inputs: Properties;
  readonly options: RecordedOptions;
  readonly deleteBeforeReplace: boolean;
  readonly aliases: readonly AliasSpecification[];
  readonly importId?: string;
}

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads properties as the SDK's messages carry them. */
export function readProperties(
  message: { toJavaScript(): Record<string, unknown> } | undefined,
): Properties {
  return (message?.toJavaScript() ?? {}) as Properties;
}

/** Reads a duration as Go writes it: `90s`, `1h30m`. */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.length === 0
    ? undefined
    : parts.reduce((sum, [, count, unit]) => sum + Number(count) * milliseconds[unit!]!, 0);
}

/** Leaves out what is undefined, so that absent settings are absent in the state too. */
export function defined<Value extends object>(value: {
  readonly [Key in keyof Value]: Value[Key] | undefined;
}): Value {
  return Object.fromEntries(
    Object.entries(value).filter(([, child]) => child !== undefined),
  ) as Value;
}

function readAlias(alias: Alias): AliasSpecification {
  const specification = alias.getSpec();
  if (specification === undefined) {
    return { urn: alias.getUrn(), withoutParent: false };
  }
  return defined<AliasSpecification>({
    name: specification.getName() || undefined,
    type: specification.getType() || undefined,
    parent: specification.getParenturn() || undefined,
    withoutParent: specification.getNoparent(),
  });
}

function readTimeouts(request: RegisterResourceRequest): Timeouts {
  const timeouts = request.getCustomtimeouts();
  return defined<Timeouts>({
    create: parseDuration(timeouts?.getCreate() ?? ""),
    update: parseDuration(timeouts?.getUpdate() ?? ""),
    delete: parseDuration(timeouts?.getDelete() ?? ""),
  });
}

/** Reads the message with which the SDK registers a resource. */
export function readRegistration(request: RegisterResourceRequest): Registration {
  const propertyDependencies: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((dependencies, property) => {
    if (dependencies.getUrnsList().length > 0) {
      propertyDependencies[property] = dependencies.getUrnsList();
    }
  });
  return defined<Registration>({
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs: readProperties(request.getObject()),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    aliases: request.getAliasesList().map(readAlias),
    importId: request.getImportid() || undefined,
    options: defined<RecordedOptions>({
      parent: request.getParent() || undefined,
      dependencies: request.getDependenciesList(),
      propertyDependencies,
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      deletedWith: request.getDeletedwith() || undefined,
      replaceWith: request.getReplaceWithList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      ignoreChanges: request.getIgnorechangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript() as Wire | undefined,
      timeouts: readTimeouts(request),
    }),
  });
}
