import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

import { asText, isObject, isSecret, makeSecret, mapChildren, type Wire } from "./wire";

const algorithm = "aes-256-gcm";
const nonceLength = 12;
const tagLength = 16;

/** Encrypts the secrets inside values that go to disk, and opens them again. */
export class Seal {
  readonly #key: Buffer;
  // A state is written after every step; only what is new in it needs encrypting again.
  readonly #sealed = new WeakMap<object, Wire>();

  constructor(
    passphrase: string,
    readonly salt: string = randomBytes(16).toString("base64"),
  ) {
    this.#key = scryptSync(passphrase, Buffer.from(salt, "base64"), 32);
  }

  /** The value with the inside of every secret in it encrypted. */
  close(value: Wire): Wire {
    if (!isSecret(value) || !isObject(value)) {
      return mapChildren(value, (child) => this.close(child));
    }
    const known = this.#sealed.get(value);
    if (known !== undefined) {
      return known;
    }
    const sealed = { ...value, value: this.#encrypt(JSON.stringify(value["value"])) };
    this.#sealed.set(value, sealed);
    return sealed;
  }

  /**
   * The reverse of {@link close}.
   *
   * @throws Error when the passphrase is not the one with which the value was encrypted
   */
  open(value: Wire): Wire {
    if (!isSecret(value) || !isObject(value)) {
      return mapChildren(value, (child) => this.open(child));
    }
    return makeSecret(JSON.parse(this.#decrypt(asText(value["value"]))) as Wire);
  }

  #encrypt(text: string): string {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv(algorithm, this.#key, nonce);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
  }

  #decrypt(text: string): string {
    const bytes = Buffer.from(text, "base64");
    const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, nonceLength));
    decipher.setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength));
    try {
      return Buffer.concat([
        decipher.update(bytes.subarray(nonceLength + tagLength)),
        decipher.final(),
      ]).toString("utf8");
    } catch {
      throw new Error("incorrect passphrase: the secrets in the state do not open with it");
    }
  }
}
