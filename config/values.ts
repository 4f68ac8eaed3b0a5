import { createPrivateKey, createPublicKey } from "node:crypto";

const PKCS8_ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

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
  const blob = decodeBase64(encoded);
  if (blob === undefined || blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  return blob.subarray(4, 4 + length).toString("latin1") === type
    ? { type, key: encoded }
    : undefined;
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

/** What a private key for ssh is: usable as it is, locked by a passphrase, or no key at all. */
export function kindOfPrivateKey(text: string): "plain" | "locked" | "none" {
  const match = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----([\s\S]*)-----END \1PRIVATE KEY-----/.exec(
    text,
  );
  if (match === null) return "none";
  const [, label = "", body = ""] = match;
  if (label === "ENCRYPTED " || body.includes("Proc-Type: 4,ENCRYPTED")) return "locked";
  if (label !== "OPENSSH ") return "plain";
  const blob = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (blob.subarray(0, magic.length).toString("latin1") !== magic) return "none";
  const length = blob.readUInt32BE(magic.length);
  const cipher = blob.subarray(magic.length + 4, magic.length + 4 + length).toString("latin1");
  return cipher === "none" ? "plain" : "locked";
}

function decodeBase64(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, "base64");
  return decoded.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "")
    ? decoded
    : undefined;
}
