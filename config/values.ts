import { createPrivateKey, createPublicKey } from "node:crypto";

const PKCS8_ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** What a signing key may be named. */
export const KEY_NAME = /^[A-Za-z0-9._-]+$/;

/** What a host may be named; a name that is no DNS name needs a domain beside it. */
export const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/** A DNS name of at least one label, without the final dot (RFC 1123 spelling, lower case). */
export function isDomainName(text: string): boolean {
  return (
    text.length <= 253 &&
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text) &&
    !isAddress(text)
  );
}

function isAddress(text: string): boolean {
  return /^[0-9.]+$/.test(text) || text.includes(":");
}

/** The parts of an OpenSSH public key line, `TYPE BASE64 [COMMENT]`; undefined if it is not one. */
export function parseHostKey(line: string): { type: string; key: string } | undefined {
  const [type, encoded] = line.trim().split(/\s+/);
  if (type === undefined || encoded === undefined || line.trim().includes("\n")) return undefined;
  const [inside, ...parts] = wireParts(decodeBase64(encoded)) ?? [];
  return inside?.toString("latin1") === type && isWhole(type, parts)
    ? { type, key: encoded }
    : undefined;
}

/** Whether a public key has all that belongs to its type; of types that cannot be used, any. */
function isWhole(type: string, parts: readonly Buffer[]): boolean {
  const [first, second] = parts;
  if (type === "ssh-ed25519") return parts.length === 1 && first?.length === 32;
  const curve = /^ecdsa-sha2-(nistp(\d+))$/.exec(type);
  if (curve === null) return true;
  const point = 1 + 2 * Math.ceil(Number(curve[2]) / 8);
  return parts.length === 2 && first?.toString() === curve[1] && second?.length === point;
}

/** The strings of a blob in ssh's wire format, a length before each; undefined if it ends askew. */
function wireParts(blob: Buffer | undefined): Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let rest = blob; rest !== undefined && rest.length > 0;) {
    const end = rest.length < 4 ? Infinity : 4 + rest.readUInt32BE(0);
    if (end > rest.length) return undefined;
    parts.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return blob === undefined ? undefined : parts;
}

/** A key in Nix's format, `NAME:BASE64`, with that many bytes; undefined if it is not one. */
export function parseNixKey(
  text: string,
  bytes: number,
): { name: string; bytes: Buffer } | undefined {
  const match = /^([A-Za-z0-9._-]+):([A-Za-z0-9+/]+={0,2})$/.exec(text.trim());
  const [, name, encoded] = match ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const decoded = decodeBase64(encoded);
  return decoded?.length === bytes ? { name, bytes: decoded } : undefined;
}

/** Whether the second half of a Nix secret key (seed, then public key) belongs to its first. */
export function secretKeyIsConsistent(bytes: Buffer): boolean {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519_PREFIX, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return Buffer.from(x ?? "", "base64url").equals(bytes.subarray(32));
}

/**
 * What a private key for ssh is: usable as it is, locked by a passphrase, locked in a way that the
 * command provider cannot open (PKCS#8), or no key at all.
 */
export function kindOfPrivateKey(text: string): "plain" | "locked" | "sealed" | "none" {
  const match = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----([\s\S]*)-----END \1PRIVATE KEY-----/.exec(
    text,
  );
  if (match === null) return "none";
  const [pem, label = "", body = ""] = match;
  if (label === "ENCRYPTED ") return "sealed";
  if (body.includes("Proc-Type: 4,ENCRYPTED")) return "locked";
  return label === "OPENSSH " ? kindOfOpenSshKey(Buffer.from(body, "base64")) : kindOfPem(pem);
}

function kindOfPem(pem: string): "plain" | "none" {
  try {
    createPrivateKey(pem);
    return "plain";
  } catch {
    return "none";
  }
}

/** The magic, then cipher, key derivation, its options; the number of keys; public and private. */
function kindOfOpenSshKey(blob: Buffer): "plain" | "locked" | "none" {
  const magic = "openssh-key-v1\0";
  if (!blob.toString("latin1").startsWith(magic)) return "none";
  const strings: Buffer[] = [];
  let position = magic.length;
  for (let index = 0; index < 5; index++) {
    if (index === 3) position += 4;
    const end = position + 4 > blob.length ? Infinity : position + 4 + blob.readUInt32BE(position);
    if (end > blob.length) return "none";
    strings.push(blob.subarray(position + 4, end));
    position = end;
  }
  return strings[0]?.toString() === "none" ? "plain" : "locked";
}

function decodeBase64(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, "base64");
  return decoded.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "")
    ? decoded
    : undefined;
}
