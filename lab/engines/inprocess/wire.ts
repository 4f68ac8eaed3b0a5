/** A property value in the form in which the SDK sends it to its engine. */
export type Wire = null | boolean | number | string | Wire[] | { [key: string]: Wire };

/** A resource's inputs or outputs. */
export type Properties = Record<string, Wire>;

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Stands for a value that is known only once the resource it comes from exists. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: Wire | undefined): value is { [key: string]: Wire } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The signature that makes an object something special: a secret, an asset, a resource. */
export function signatureOf(value: Wire | undefined): string | undefined {
  const signature = isObject(value) ? value[signatureKey] : undefined;
  return typeof signature === "string" ? signature : undefined;
}

export function isSecret(value: Wire | undefined): boolean {
  return signatureOf(value) === secretSignature;
}

export function makeSecret(value: Wire): Wire {
  return isSecret(value) ? value : { [signatureKey]: secretSignature, value };
}

/** Applies a function to what is directly inside an array or object. */
export function mapChildren(value: Wire, change: (child: Wire) => Wire): Wire {
  if (Array.isArray(value)) {
    return value.map(change);
  }
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, change(child)]));
  }
  return value;
}

/** The value with no secret marked any more, at any depth. */
export function plain(value: Wire): Wire {
  return isSecret(value) && isObject(value)
    ? plain(value["value"] ?? null)
    : mapChildren(value, plain);
}

/** The properties with no secret marked any more. */
export function plainProperties(properties: Properties): Properties {
  return plain(properties) as Properties;
}

/** The value as a user may see it. */
export function redacted(value: Wire): Wire {
  return isSecret(value) ? "[secret]" : mapChildren(value, redacted);
}

export function containsUnknown(value: Wire): boolean {
  if (Array.isArray(value)) {
    return value.some(containsUnknown);
  }
  return isObject(value)
    ? Object.values(value).some(containsUnknown)
    : typeof value === "string" && value.includes(unknownValue);
}

/** A scalar as text, anything else as JSON. */
export function asText(value: Wire | undefined): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Marks the named outputs secret, as the option `additionalSecretOutputs` asks. */
export function withSecretOutputs(outputs: Properties, names: readonly string[]): Properties {
  const result = { ...outputs };
  for (const name of names) {
    const value = result[name];
    if (value !== undefined) {
      result[name] = makeSecret(value);
    }
  }
  return result;
}
