import * as pulumi from "@pulumi/pulumi";

import type { HostConfiguration } from "../config/configuration";
import { keysSet } from "../render/hostSets";
import type { ManagedHost } from "./remote/managedHost";
import type { SigningKey } from "./signingKey";
import { token } from "./token";

/** The signing key on a host, readable by the server's account and root alone. */
export class SigningKeyFiles extends pulumi.ComponentResource {
  public constructor(
    managed: ManagedHost,
    host: HostConfiguration,
    key: SigningKey,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("SigningKeyFiles"), `${host.name}-keys`, {}, options);
    const text = pulumi
      .all([key.secretKey, key.publicKey])
      .apply(([secretKey, publicKey]) => keysSet({ secretKey, publicKey }));
    managed.apply("keys", text, { parent: this, secret: true });
    this.registerOutputs();
  }
}
