import { createHash, randomBytes, type KeyObject } from "node:crypto";

const magic = Buffer.from("openssh-key-v1\0");
const curves: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  "P-256": { name: "nistp256", bytes: 32 },
  "P-384": { name: "nistp384", bytes: 48 },
  "P-521": { name: "nistp521", bytes: 66 },
};

function lengthPrefixed(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A number in SSH's encoding: no leading zeros, except the one that keeps it positive. */
function multiplePrecision(value: Buffer): Buffer {
  const first = value.findIndex((byte) => byte !== 0);
  const bytes = value.subarray(first);
  return lengthPrefixed(bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

interface KeyParts {
  readonly type: string;
  readonly publicBlob: Buffer;
  readonly privateFields: Buffer;
}

function parts(key: KeyObject): KeyParts {
  const web = key.export({ format: "jwk" });
  const field = (name: keyof typeof web): Buffer => Buffer.from(String(web[name]), "base64url");
  if (web.kty === "OKP") {
    const type = "ssh-ed25519";
    const open = lengthPrefixed(field("x"));
    const secret = lengthPrefixed(Buffer.concat([field("d"), field("x")]));
    return {
      type,
      publicBlob: Buffer.concat([lengthPrefixed(type), open]),
      privateFields: Buffer.concat([open, secret]),
    };
  }
  if (web.kty === "EC") {
    const { name, bytes } = curves[String(web.crv)]!;
    const pad = (value: Buffer): Buffer =>
      Buffer.concat([Buffer.alloc(Math.max(0, bytes - value.length)), value]);
    const point = Buffer.concat([Buffer.from([4]), pad(field("x")), pad(field("y"))]);
    const type = `ecdsa-sha2-${name}`;
    const open = Buffer.concat([lengthPrefixed(name), lengthPrefixed(point)]);
    return {
      type,
      publicBlob: Buffer.concat([lengthPrefixed(type), open]),
      privateFields: Buffer.concat([open, multiplePrecision(field("d"))]),
    };
  }
  const type = "ssh-rsa";
  const [n, e] = [multiplePrecision(field("n")), multiplePrecision(field("e"))];
  return {
    type,
    publicBlob: Buffer.concat([lengthPrefixed(type), e, n]),
    privateFields: Buffer.concat([
      ...[n, e],
      ...(["d", "qi", "p", "q"] as const).map((name) => multiplePrecision(field(name))),
    ]),
  };
}

/** A private key as an unencrypted OpenSSH file. */
export function privateKeyFile(key: KeyObject): string {
  const { type, publicBlob, privateFields } = parts(key);
  const check = randomBytes(4);
  const inner = Buffer.concat([
    ...[check, check, lengthPrefixed(type), privateFields],
    lengthPrefixed(""),
  ]);
  const padding = Buffer.from(
    Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, position) => position + 1),
  );
  const count = Buffer.from([0, 0, 0, 1]);
  const body = Buffer.concat([
    ...[magic, lengthPrefixed("none"), lengthPrefixed("none"), lengthPrefixed(""), count],
    ...[lengthPrefixed(publicBlob), lengthPrefixed(Buffer.concat([inner, padding]))],
  ]).toString("base64");
  const lines = body.match(/.{1,64}/g) ?? [];
  const label = "OPENSSH PRIVATE KEY";
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** The public half as OpenSSH writes it into one line, and its fingerprints. */
export function publicKeyLine(key: KeyObject): { line: string; md5: string; sha256: string } {
  const { type, publicBlob } = parts(key);
  const md5 = createHash("md5").update(publicBlob).digest("hex").match(/../g) ?? [];
  const sha256 = createHash("sha256").update(publicBlob).digest("base64").replace(/=+$/, "");
  return {
    line: `${type} ${publicBlob.toString("base64")}\n`,
    md5: md5.join(":"),
    sha256: `SHA256:${sha256}`,
  };
}
