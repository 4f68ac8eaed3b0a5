import * as pulumi from "@pulumi/pulumi";

import type { Configuration } from "../config/configuration";
import { clientModule, type ClientModuleSettings, substituters } from "../render/clientModule";
import { token } from "./token";

export interface ClientModuleArgs {
  readonly urls: readonly string[];
  readonly publicKeys: pulumi.Input<readonly string[]>;
  readonly configuration: Configuration;
}

/** The client module: what makes a NixOS machine use and trust the caches of this stack. */
export class ClientModule extends pulumi.ComponentResource {
  /** The text of `binary-cache.nix`. */
  public readonly text: pulumi.Output<string>;
  /** The substituters that it sets, caches of this stack first. */
  public readonly substituters: readonly string[];

  public constructor(
    name: string,
    args: ClientModuleArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("ClientModule"), name, {}, options);
    const { urls, configuration } = args;
    const settings: Omit<ClientModuleSettings, "publicKeys"> = {
      caches: urls.map((url) => ({ url, priority: configuration.priority })),
      upstreams: configuration.upstreams,
      client: configuration.client,
    };
    this.substituters = substituters({ ...settings, publicKeys: [] });
    this.text = pulumi
      .output(args.publicKeys)
      .apply((publicKeys) => clientModule({ ...settings, publicKeys }));
    this.registerOutputs({ text: this.text });
  }
}
