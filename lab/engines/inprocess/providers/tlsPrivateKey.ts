import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

import { asText, type Properties } from "../wire";
import { privateKeyFile, publicKeyLine } from "./opensshKey";
import { generatedOnce, type Provider } from "./provider";

const curves: Readonly<Record<string, string>> = {
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};
const algorithms = ["ED25519", "ECDSA", "RSA"];

function generate(inputs: Properties): { key: KeyObject; type: "pkcs1" | "pkcs8" | "sec1" } {
  switch (inputs["algorithm"]) {
    case "ED25519":
      return { key: generateKeyPairSync("ed25519").privateKey, type: "pkcs8" };
    case "ECDSA": {
      const namedCurve = curves[asText(inputs["ecdsaCurve"] ?? "P224")]!;
      return { key: generateKeyPairSync("ec", { namedCurve }).privateKey, type: "sec1" };
    }
    default: {
      const modulusLength = Number(inputs["rsaBits"] ?? 2048);
      return { key: generateKeyPairSync("rsa", { modulusLength }).privateKey, type: "pkcs1" };
    }
  }
}

/** `tls:index/privateKey:PrivateKey`. */
export const tlsPrivateKey: Provider = {
  ...generatedOnce,
  secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  check(inputs) {
    const algorithm = asText(inputs["algorithm"]);
    if (!algorithms.includes(algorithm)) {
      return [`algorithm must be one of ${algorithms.join(", ")}`];
    }
    const curve = asText(inputs["ecdsaCurve"] ?? "P224");
    return algorithm === "ECDSA" && curves[curve] === undefined
      ? [`the in-process engine does not know the curve ${curve}`]
      : [];
  },
  create(inputs) {
    const { key, type } = generate(inputs);
    const publicKeyPem = createPublicKey(key).export({ format: "pem", type: "spki" }).toString();
    const { line, md5, sha256 } = publicKeyLine(key);
    return Promise.resolve({
      id: createHash("sha1").update(publicKeyPem.trim()).digest("hex"),
      outputs: {
        ecdsaCurve: "P224",
        rsaBits: 2048,
        ...inputs,
        privateKeyOpenssh: privateKeyFile(key),
        privateKeyPem: key.export({ format: "pem", type }).toString(),
        privateKeyPemPkcs8: key.export({ format: "pem", type: "pkcs8" }).toString(),
        publicKeyFingerprintMd5: md5,
        publicKeyFingerprintSha256: sha256,
        publicKeyOpenssh: line,
        publicKeyPem,
      },
    });
  },
};
