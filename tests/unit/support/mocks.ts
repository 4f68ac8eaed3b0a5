import * as pulumi from "@pulumi/pulumi";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";

import { pemOf } from "./samples";

/** The SDK takes a stack for each of its promises; to map them to sources takes half of the time. */
const STACK_TRACE_LIMIT = Error.stackTraceLimit;

export const PROJECT = "nix-binary-cache";
export const STACK = "dev";

/** The options of a resource that the SDK sends to the engine. */
export interface RegisteredOptions {
  readonly dependsOn: readonly string[];
  readonly deletedWith: string;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly timeouts: readonly [create: string, update: string, remove: string] | undefined;
}

/** A resource that the program asked the engine for. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** The URN of the parent; empty for a resource of the stack itself. */
  readonly parent: string;
  readonly custom: boolean;
  /** The inputs with no secret marked any more. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The inputs that are secret as a whole. */
  readonly secretInputs: readonly string[];
  readonly options: RegisteredOptions;
}

/** What a component hands to `registerOutputs`, secrets marked by the word secret. */
export interface RegisteredOutputs {
  readonly urn: string;
  readonly outputs: unknown;
}

export interface MockSettings {
  /** How long every resource takes, in milliseconds. */
  readonly slowness?: number;
  /** What a command prints. */
  readonly stdout?: string;
  /** Whether a generated private key is marked secret, as the real provider does. */
  readonly marksSecrets?: boolean;
}

/**
 * Stands in for the engine: remembers what the program registers and answers with the inputs and
 * the few outputs that a provider would compute. It never throws, since that ends the process of
 * the tests; what it does not know it remembers, and `settle` complains of it.
 */
export class Recorder {
  public readonly registered: Registered[] = [];
  public readonly outputs: RegisteredOutputs[] = [];
  /** `begin NAME` and `end NAME` of custom resources, in the order in which they came. */
  public readonly events: string[] = [];
  private readonly unexpected: string[] = [];

  public constructor(private readonly settings: MockSettings) {}

  /** Waits until the program has registered everything. The program must have been constructed. */
  public async settle(): Promise<void> {
    await pulumi.runtime.disconnect();
    Error.stackTraceLimit = STACK_TRACE_LIMIT;
    expect(this.unexpected).toEqual([]);
  }

  public get commands(): Registered[] {
    return this.registered.filter(({ type }) => type.startsWith("command:"));
  }

  public only(name: string, type = "command:remote:Command"): Registered {
    const found = this.registered.filter((each) => each.name === name && each.type === type);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`${found.length} resources are a ${type} named ${name}`);
    }
    return found[0];
  }

  /** The resources as an indented list, siblings sorted: `TYPE NAME` each. */
  public tree(parent = "", indent = ""): string {
    return this.registered
      .filter((each) => each.parent === parent)
      .map((each) => ({ line: `${indent}${each.type} ${each.name}\n`, urn: each.urn }))
      .sort((one, other) => (one.line < other.line ? -1 : 1))
      .map(({ line, urn }) => line + this.tree(urn, `${indent}  `))
      .join("");
  }

  public async newResource(
    resource: pulumi.runtime.MockResourceArgs,
  ): Promise<pulumi.runtime.MockResourceResult> {
    const { type, name, custom = false } = resource;
    const inputs = resource.inputs as Record<string, unknown>;
    if (custom) this.events.push(`begin ${name}`);
    await new Promise((resolve) => setTimeout(resolve, this.settings.slowness ?? 0));
    if (custom) this.events.push(`end ${name}`);
    return { id: custom ? `${name}-id` : "", state: { ...inputs, ...this.computed(type, name) } };
  }

  public call({ token }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
    this.unexpected.push(`call of ${token}`);
    return {};
  }

  private computed(type: string, name: string): Record<string, unknown> {
    if (type.startsWith("nixcache:index:")) return {};
    switch (type) {
      case "command:remote:Command":
      case "command:local:Command":
        return { stdout: this.settings.stdout ?? "", stderr: "" };
      case "tls:index/privateKey:PrivateKey":
        return {
          privateKeyPem:
            this.settings.marksSecrets === false ? pemOf(name) : pulumi.secret(pemOf(name)),
        };
      default:
        this.unexpected.push(`resource ${name} of type ${type}`);
        return {};
    }
  }
}

/** Begins a test of components: what is constructed from now on is recorded. */
export async function record(settings: MockSettings = {}): Promise<Recorder> {
  const recorder = new Recorder(settings);
  await pulumi.runtime.setMocks(
    {
      newResource: (resource) => recorder.newResource(resource),
      call: (call) => recorder.call(call),
    },
    PROJECT,
    STACK,
  );
  listen(recorder);
  Error.stackTraceLimit = 0;
  return recorder;
}

/** The value of an output. Ask before `settle`, await after it. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

type Answer<T> = (error: unknown, response: T) => void;

/** The part of the mock monitor that sees a resource's options, which mocks are not told of. */
interface Monitor {
  registerResource(
    request: RegisterResourceRequest,
    answer: Answer<RegisterResourceResponse>,
  ): Promise<void>;
  registerResourceOutputs(request: RegisterResourceOutputsRequest, answer: Answer<unknown>): void;
}

function listen(recorder: Recorder): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const registerResource = monitor.registerResource.bind(monitor);
  const registerResourceOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResource = (request, answer) =>
    registerResource(request, (error, response) => {
      if (error === null) recorder.registered.push(registeredOf(request, response.getUrn()));
      answer(error, response);
    });
  monitor.registerResourceOutputs = (request, answer) => {
    recorder.outputs.push({
      urn: request.getUrn(),
      outputs: marked(request.getOutputs()?.toJavaScript()),
    });
    registerResourceOutputs(request, answer);
  };
}

function registeredOf(request: RegisterResourceRequest, urn: string): Registered {
  const inputs = (request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>;
  const timeouts = request.getCustomtimeouts();
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    custom: request.getCustom(),
    inputs: plain(inputs) as Record<string, unknown>,
    secretInputs: Object.keys(inputs).filter((name) => isSecret(inputs[name])),
    options: {
      dependsOn: request.getDependenciesList().map(nameOf).sort(),
      deletedWith: nameOf(request.getDeletedwith()),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      ignoreChanges: request.getIgnorechangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      timeouts:
        timeouts === undefined
          ? undefined
          : [timeouts.getCreate(), timeouts.getUpdate(), timeouts.getDelete()],
    },
  };
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

function isSecret(value: unknown): value is { readonly value: unknown } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function plain(value: unknown): unknown {
  return isSecret(value) ? plain(value.value) : mapChildren(value, plain);
}

function marked(value: unknown): unknown {
  return isSecret(value) ? { secret: plain(value) } : mapChildren(value, marked);
}

function mapChildren(value: unknown, change: (child: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, change(child)]));
}
