import { createPrivateKey } from "node:crypto";

/** A signing key in Nix's format: `NAME:BASE64` of seed and public key, and of the public key. */
export interface NixKeyPair {
  readonly secretKey: string;
  readonly publicKey: string;
}

/** The Nix key of an Ed25519 private key in PEM format, as tls.PrivateKey makes it. */
export function nixKeyFromPem(name: string, pem: string): NixKeyPair {
  const { crv, d, x } = createPrivateKey(pem).export({ format: "jwk" });
  if (crv !== "Ed25519" || d === undefined || x === undefined)
    throw new Error(`the private key of ${name} is not an Ed25519 key`);
  const seed = Buffer.from(d, "base64url");
  const point = Buffer.from(x, "base64url");
  return {
    secretKey: `${name}:${Buffer.concat([seed, point]).toString("base64")}`,
    publicKey: `${name}:${point.toString("base64")}`,
  };
}

/** The key pair of a secret key that is in Nix's format already. */
export function nixKeyFromSecret(secretKey: string): NixKeyPair {
  const trimmed = secretKey.trim();
  const [name = "", encoded = ""] = trimmed.split(":");
  const point = Buffer.from(encoded, "base64").subarray(32);
  return { secretKey: trimmed, publicKey: `${name}:${point.toString("base64")}` };
}
