import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration } from "../config/configuration";
import { CacheServer } from "./cacheServer";
import { HostPackages } from "./hostPackages";
import { NginxSite } from "./nginxSite";
import { ManagedHost } from "./remote/managedHost";
import type { SigningKey } from "./signingKey";
import { SigningKeyFiles } from "./signingKeyFiles";
import { token } from "./token";

export interface CacheHostArgs {
  readonly priority: number;
  /** The key that the host signs with. */
  readonly signingKey: SigningKey;
}

/** A machine that serves the cache. Each step waits for the one before. */
export class CacheHost extends pulumi.ComponentResource {
  /** The address of the cache as clients use it. */
  public readonly url: string;

  public constructor(
    host: HostConfiguration,
    { priority, signingKey }: CacheHostArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("CacheHost"), host.name, {}, options);
    const managed = new ManagedHost(host, this);
    let last: pulumi.Resource = new HostPackages(managed, host, { parent: this });
    if (host.server !== "none") {
      const { server } = host;
      last = new SigningKeyFiles(managed, host, signingKey, { parent: this, dependsOn: [last] });
      last = new CacheServer(
        managed,
        host,
        { server, priority },
        { parent: this, dependsOn: [last] },
      );
    }
    const site = new NginxSite(managed, host, { priority }, { parent: this, dependsOn: [last] });
    this.url = site.url;
    this.registerOutputs({ url: this.url });
  }
}
