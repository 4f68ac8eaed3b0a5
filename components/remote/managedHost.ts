import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration } from "../../config/configuration";
import { HOST_PROGRAMS } from "../../render/configurationSet";
import { shellQuote } from "../../render/shell";
import { programSet } from "../../render/hostSets";
import { connectionArguments } from "./connection";
import { pinnedHostKey } from "./hostKey";
import { bootstrapText, hostPrograms } from "./hostPrograms";

const CONFIGURATION_SET = `${HOST_PROGRAMS}/configuration-set`;

/** Inputs of a command that never vary: a change to one of them runs everything again. */
const QUIET = { logging: "none", addPreviousOutputInEnv: false } as const;

interface Step {
  readonly create: string;
  readonly delete: string;
  readonly stdin: pulumi.Input<string>;
}

/**
 * A host and the one way of changing it: configuration sets, one command each. The first command
 * waits for the host and puts the programs there that apply the others; its removal takes all
 * sets away, in one connection, so the others are deleted with it.
 */
export class ManagedHost {
  /** The command that waits for the host; nothing else on it happens before. */
  public readonly ready: pulumi.CustomResource;
  private readonly hostKey: pulumi.Output<string>;

  public constructor(
    private readonly host: HostConfiguration,
    parent: pulumi.Resource,
  ) {
    const { connection, name } = host;
    const wait = connection.kind === "ssh" ? connection.waitSeconds : 0;
    this.hostKey =
      connection.kind === "ssh" ? pinnedHostKey(name, connection, { parent }) : pulumi.output("");
    this.ready = this.command(
      `${name}-program`,
      {
        create: this.asRoot(`bash -s -- ${this.flags().join(" ")}`),
        delete: this.ifProgram("remove-all"),
        stdin: bootstrapText() + programSet(hostPrograms(), host.family),
      },
      { parent, customTimeouts: { create: `${wait + 600}s`, update: `${wait + 600}s` } },
    );
  }

  /** Applies a configuration set; on removal the host is as it was before the set. */
  public apply(
    set: "packages" | "keys" | "server" | "site",
    text: pulumi.Input<string>,
    options: pulumi.CustomResourceOptions & { readonly secret?: boolean },
  ): pulumi.CustomResource {
    const { secret = false, ...rest } = options;
    // A key that somebody trusts is not replaced by the way: it is imported, or moved away by hand.
    const adopt = this.host.adopt && set !== "keys" ? ["--adopt"] : [];
    return this.command(
      `${this.host.name}-${set}`,
      {
        create: this.asRoot([CONFIGURATION_SET, "apply", set, ...this.flags(), ...adopt].join(" ")),
        delete: this.ifProgram(`remove ${set}`),
        stdin: secret ? pulumi.secret(text) : text,
      },
      pulumi.mergeOptions(
        {
          dependsOn: [this.ready],
          deletedWith: this.ready,
          ...(secret ? { additionalSecretOutputs: ["stdout", "stderr"] } : {}),
        },
        rest,
      ),
    );
  }

  private command(
    name: string,
    { create, delete: remove, stdin }: Step,
    options: pulumi.CustomResourceOptions,
  ): pulumi.CustomResource {
    const inputs = { create, delete: remove, stdin, ...QUIET };
    const merged = pulumi.mergeOptions(options, this.host.lost ? LOST : {});
    const { connection } = this.host;
    if (connection.kind === "local") return new command.local.Command(name, inputs, merged);
    return new command.remote.Command(
      name,
      { ...inputs, connection: connectionArguments(connection, this.hostKey) },
      merged,
    );
  }

  private asRoot(commandLine: string): string {
    const { connection } = this.host;
    const root =
      connection.kind === "local" ? process.getuid?.() === 0 : connection.endpoint.user === "root";
    return root ? commandLine : `sudo -n ${commandLine}`;
  }

  /** A host that was installed anew has no program, and nothing that it would have to remove. */
  private ifProgram(words: string): string {
    return `[ ! -x ${CONFIGURATION_SET} ] || ${this.asRoot(`${CONFIGURATION_SET} ${words} ${this.ownerFlag()}`)}`;
  }

  private flags(): string[] {
    return [this.ownerFlag(), ...(this.host.run === 1 ? [] : [`--run ${this.host.run}`])];
  }

  /** Whoever sets a host up last owns it; the removal of an earlier owner leaves it alone. */
  private ownerFlag(): string {
    return `--owner ${shellQuote(`${pulumi.getProject()}/${pulumi.getStack()}/${this.host.name}`)}`;
  }
}

/** A host that is gone: nothing is run there any more, and removing it from the stack works. */
const LOST: pulumi.CustomResourceOptions = {
  retainOnDelete: true,
  ignoreChanges: ["create", "delete", "stdin", "connection"],
};
