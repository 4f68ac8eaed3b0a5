import * as pulumi from "@pulumi/pulumi";

import type { Configuration } from "../config/configuration";
import { CacheHost } from "./cacheHost";
import { ClientModule } from "./clientModule";
import { SigningKey } from "./signingKey";
import { token } from "./token";

/** What other programs learn of a cache host. */
export interface HostSummary {
  readonly name: string;
  readonly url: string;
  readonly server: string;
}

/** A binary cache: its hosts, the keys they share, and the module for its clients. */
export class BinaryCache extends pulumi.ComponentResource {
  /** The client module as text. */
  public readonly clientModule: pulumi.Output<string>;
  /** The address of the first cache host. */
  public readonly cacheUrl: string | undefined;
  /** All keys that clients are to trust, in Nix's format. */
  public readonly publicKeys: pulumi.Output<string[]>;
  public readonly substituters: readonly string[];
  public readonly hosts: readonly HostSummary[];

  public constructor(
    name: string,
    configuration: Configuration,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super(token("BinaryCache"), name, {}, options);
    const keys = configuration.signingKeys.map((key) => ({
      name: key.name,
      key: new SigningKey(key, { parent: this }),
    }));
    const signing = keys.find((key) => key.name === configuration.signWith);
    if (signing === undefined) throw new Error(`no signing key is named ${configuration.signWith}`);
    const hosts = configuration.hosts.map((host) => {
      const args = {
        priority: configuration.priority,
        signingKey: signing.key,
      };
      return { host, url: new CacheHost(host, args, { parent: this }).url };
    });
    const living = hosts.filter(({ host }) => !host.lost);
    this.publicKeys = pulumi.all(keys.map(({ key }) => key.publicKey));
    const client = new ClientModule(
      name,
      { urls: living.map(({ url }) => url), publicKeys: this.publicKeys, configuration },
      { parent: this },
    );
    this.clientModule = client.text;
    this.cacheUrl = living[0]?.url;
    this.substituters = client.substituters;
    this.hosts = living.map(({ host, url }) => ({ name: host.name, url, server: host.server }));
    this.registerOutputs({ cacheUrl: this.cacheUrl, publicKeys: this.publicKeys });
  }
}
