import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration } from "../config/configuration";
import { siteSet } from "../render/siteSet";
import type { ManagedHost } from "./remote/managedHost";
import { token } from "./token";

export interface NginxSiteArgs {
  readonly priority: number;
}

/** The nginx site of a host: published store first, then the server, then 404. */
export class NginxSite extends pulumi.ComponentResource {
  /** The address of the cache as clients use it. */
  public readonly url: string;

  public constructor(
    managed: ManagedHost,
    host: HostConfiguration,
    args: NginxSiteArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("NginxSite"), `${host.name}-site`, {}, options);
    const { server, serverPort: port, domain, site: settings } = host;
    managed.apply("site", siteSet({ server, port, domain, settings, ...args }), {
      parent: this,
    });
    this.url = `http://${domain}`;
    this.registerOutputs({ url: this.url });
  }
}
