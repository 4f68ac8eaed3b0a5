import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import type { SigningKeyConfiguration } from "../config/configuration";
import { nixKeyFromPem, nixKeyFromSecret } from "../render/nixKey";
import { token } from "./token";

/**
 * A key that store paths are signed with, in Nix's format: generated once and protected from
 * deletion, or imported. It belongs to the stack and outlives every host.
 */
export class SigningKey extends pulumi.ComponentResource {
  /** `NAME:BASE64` of seed and public key; a secret. */
  public readonly secretKey: pulumi.Output<string>;
  /** `NAME:BASE64` of the public key, as in trusted-public-keys. */
  public readonly publicKey: pulumi.Output<string>;

  public constructor(
    { name, secretKey }: SigningKeyConfiguration,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(token("SigningKey"), name, {}, options);
    const pair =
      secretKey === undefined
        ? generated(name, this)
        : pulumi.secret(nixKeyFromSecret(secretKey.reveal()));
    this.secretKey = pulumi.secret(pair.apply((key) => key.secretKey));
    this.publicKey = pulumi.unsecret(pair.apply((key) => key.publicKey));
    this.registerOutputs({ publicKey: this.publicKey });
  }
}

function generated(
  name: string,
  parent: pulumi.Resource,
): pulumi.Output<ReturnType<typeof nixKeyFromPem>> {
  const key = new tls.PrivateKey(name, { algorithm: "ED25519" }, { parent, protect: true });
  return key.privateKeyPem.apply((pem) => nixKeyFromPem(name, pem));
}
