import { createHash, createPublicKey, verify } from "node:crypto";
import { request } from "node:http";

/** An answer of an HTTP server. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A binary cache as a client sees it: a name, and the address where that name is served. */
export interface CacheAddress {
  readonly domain: string;
  readonly address: string;
  readonly port?: number;
}

/** One request on a connection of its own, under the cache's own name, past any resolver. */
export function fetchFrom(
  { domain, address, port = 80 }: CacheAddress,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: address,
        port,
        path,
        agent: false,
        method: options.method ?? "GET",
        headers: { host: domain, ...options.headers },
        timeout: 60_000,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("aborted", () => reject(new Error(`${path} was cut off`)));
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${path}: no answer`)));
    outgoing.end();
  });
}

/** The lines of a narinfo by name; `Sig` may come several times. */
export type Narinfo = ReadonlyMap<string, readonly string[]>;

export function parseNarinfo(text: string): Narinfo {
  const fields = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)]);
  }
  return fields;
}

export function field(narinfo: Narinfo, name: string): string {
  const value = narinfo.get(name)?.[0];
  if (value === undefined) throw new Error(`the narinfo has no ${name}`);
  return value;
}

/** What a signature of Nix covers: path, NAR hash and size, and the references in full. */
export function fingerprint(narinfo: Narinfo): string {
  const references = (narinfo.get("References")?.[0] ?? "")
    .split(" ")
    .filter((name) => name !== "");
  return [
    "1",
    field(narinfo, "StorePath"),
    field(narinfo, "NarHash"),
    field(narinfo, "NarSize"),
    references
      .map((name) => `/nix/store/${name}`)
      .sort()
      .join(","),
  ].join(";");
}

/** Whether one of the narinfo's signatures is by the key and holds. */
export function isSignedBy(narinfo: Narinfo, publicKey: string): boolean {
  const [keyName = "", encoded = ""] = publicKey.split(":");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(encoded, "base64").toString("base64url") },
    format: "jwk",
  });
  return (narinfo.get("Sig") ?? []).some((signature) => {
    const [name, value = ""] = signature.split(":");
    return (
      name === keyName &&
      verify(null, Buffer.from(fingerprint(narinfo)), key, Buffer.from(value, "base64"))
    );
  });
}

const BASE32 = "0123456789abcdfghijklmnpqrsvwxyz";

/** Nix's base 32, which takes the bits of the digest from its end. */
export function nixBase32(digest: Buffer): string {
  const length = Math.ceil((digest.length * 8) / 5);
  let text = "";
  for (let position = length - 1; position >= 0; position--) {
    const bit = position * 5;
    const low = digest[bit >> 3] ?? 0;
    const high = digest[(bit >> 3) + 1] ?? 0;
    text += BASE32[(((high << 8) | low) >> (bit & 7)) & 31];
  }
  return text;
}

/** What was seen of a store path in a cache. */
export interface Verified {
  readonly narinfo: Narinfo;
  readonly nar: Buffer;
}

/**
 * Fetches narinfo and NAR of a store path and checks what a client would: the path, a signature
 * by the key, and size and hash of the NAR. Throws what is wrong.
 */
export async function verifyStorePath(
  cache: CacheAddress,
  storePath: string,
  publicKey: string,
): Promise<Verified> {
  const hash = storePath.slice("/nix/store/".length, "/nix/store/".length + 32);
  const answer = await fetchFrom(cache, `/${hash}.narinfo`);
  if (answer.status !== 200) throw new Error(`narinfo of ${storePath}: status ${answer.status}`);
  const narinfo = parseNarinfo(answer.body.toString());
  if (field(narinfo, "StorePath") !== storePath)
    throw new Error(`another path: ${field(narinfo, "StorePath")}`);
  if (!isSignedBy(narinfo, publicKey))
    throw new Error(`${storePath} is not signed by ${publicKey}`);
  if (field(narinfo, "Compression") !== "none")
    throw new Error("only uncompressed NARs are checked here");
  const { status, body: nar } = await fetchFrom(cache, `/${field(narinfo, "URL")}`);
  if (status !== 200) throw new Error(`NAR of ${storePath}: status ${status}`);
  if (nar.length !== Number(field(narinfo, "NarSize")))
    throw new Error(`NAR of ${storePath}: ${nar.length} bytes`);
  const digest = `sha256:${nixBase32(createHash("sha256").update(nar).digest())}`;
  if (digest !== field(narinfo, "NarHash")) throw new Error(`NAR of ${storePath}: hash ${digest}`);
  return { narinfo, nar };
}
