import { createHash, randomBytes, randomInt } from "node:crypto";

import type { Properties } from "../wire";
import { generatedOnce, type Provider } from "./provider";

const classes = [
  { option: "lower", least: "minLower", characters: "abcdefghijklmnopqrstuvwxyz" },
  { option: "upper", least: "minUpper", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  { option: "numeric", least: "minNumeric", characters: "0123456789" },
  { option: "special", least: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
] as const;

function pick(characters: string, count: number): string[] {
  return Array.from({ length: count }, () => characters[randomInt(characters.length)]!);
}

function shuffle(characters: string[]): string {
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other]!, characters[last]!];
  }
  return characters.join("");
}

function number(inputs: Properties, name: string): number {
  return Number(inputs[name] ?? 0);
}

function randomText(inputs: Properties): string {
  const special = inputs["overrideSpecial"];
  const used = classes
    .map(({ option, least, characters }) => ({
      characters:
        option === "special" && typeof special === "string" && special !== ""
          ? special
          : characters,
      least: number(inputs, least),
      wanted: inputs[option] !== false,
    }))
    .filter(({ wanted }) => wanted);
  const required = used.flatMap(({ characters, least }) => pick(characters, least));
  const all = used.map(({ characters }) => characters).join("");
  return shuffle([...required, ...pick(all, number(inputs, "length") - required.length)]);
}

const textDefaults: Properties = {
  lower: true,
  upper: true,
  numeric: true,
  number: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};

/** `random:index/randomPassword:RandomPassword`. */
export const randomPassword: Provider = {
  ...generatedOnce,
  secretOutputs: ["result", "bcryptHash"],
  create(inputs) {
    const result = randomText(inputs);
    // Not bcrypt, which node lacks; nothing here may rely on it, so it is made to match nothing.
    const bcryptHash = `not-bcrypt:${createHash("sha256").update(result).digest("hex")}`;
    return Promise.resolve({
      id: "none",
      outputs: { ...textDefaults, ...inputs, result, bcryptHash },
    });
  },
};

/** `random:index/randomString:RandomString`. */
export const randomString: Provider = {
  ...generatedOnce,
  create(inputs) {
    const result = randomText(inputs);
    return Promise.resolve({ id: result, outputs: { ...textDefaults, ...inputs, result } });
  },
};

/** `random:index/randomId:RandomId`. */
export const randomId: Provider = {
  ...generatedOnce,
  create(inputs) {
    const bytes = randomBytes(number(inputs, "byteLength"));
    const prefix = typeof inputs["prefix"] === "string" ? inputs["prefix"] : "";
    const hex = bytes.toString("hex");
    return Promise.resolve({
      id: bytes.toString("base64url"),
      outputs: {
        ...inputs,
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + bytes.toString("base64url"),
        dec: prefix + BigInt(`0x0${hex}`).toString(),
        hex: prefix + hex,
      },
    });
  },
};

/** `random:index/randomBytes:RandomBytes`. Its id is the secret, in clear, as with the real one. */
export const randomBytesProvider: Provider = {
  ...generatedOnce,
  secretOutputs: ["base64", "hex"],
  create(inputs) {
    const bytes = randomBytes(number(inputs, "length"));
    const base64 = bytes.toString("base64");
    return Promise.resolve({
      id: base64,
      outputs: { ...inputs, base64, hex: bytes.toString("hex") },
    });
  },
};
