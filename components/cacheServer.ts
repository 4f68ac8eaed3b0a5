import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration, ServerKind } from "../config/configuration";
import { serverSet } from "../render/serverSet";
import type { ManagedHost } from "./remote/managedHost";
import { token } from "./token";

export interface CacheServerArgs {
  readonly server: Exclude<ServerKind, "none">;
  readonly priority: number;
}

/** The server of a host's live store: a sandboxed unit on loopback. */
export class CacheServer extends pulumi.ComponentResource {
  public constructor(
    managed: ManagedHost,
    host: HostConfiguration,
    args: CacheServerArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("CacheServer"), `${host.name}-server`, {}, options);
    const { serverPort: port, workers } = host;
    managed.apply("server", serverSet({ ...args, port, workers }), { parent: this });
    this.registerOutputs();
  }
}
