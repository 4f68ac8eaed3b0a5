import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration } from "../config/configuration";
import { packagesSet } from "../render/hostSets";
import type { ManagedHost } from "./remote/managedHost";
import { token } from "./token";

/** Nix with its daemon, nginx, and the server in a Nix profile of its own. */
export class HostPackages extends pulumi.ComponentResource {
  public constructor(
    managed: ManagedHost,
    host: HostConfiguration,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("HostPackages"), `${host.name}-packages`, {}, options);
    const { family, server, nixpkgs } = host;
    managed.apply("packages", packagesSet({ family, server, nixpkgs }), { parent: this });
    this.registerOutputs();
  }
}
