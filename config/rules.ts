import { type Problem, showValue, spellPath } from "./problems";
import { HOST_NAME, isDomainName, KEY_NAME } from "./values";

type Fields = Readonly<Record<string, unknown>>;

/**
 * What must hold between values. The rules look at the values as they were given, so that their
 * findings come together with those of the schema; whatever has the wrong type is the schema's.
 */
export function crossFieldProblems(input: Fields): Problem[] {
  const hosts = listOf(input["hosts"]);
  const keys = listOf(input["signingKeys"]);
  return [
    ...duplicates("hosts", hosts, "name", "a name of its own for every host"),
    ...duplicates("signingKeys", keys, "name", "a name of its own for every key"),
    ...duplicates("upstreams", listOf(input["upstreams"]), "url", "every upstream once"),
    ...duplicates("clients", listOf(input["clients"]), "name", "every client once"),
    ...sharedDomains(hosts),
    ...sharedMachines(hosts),
    ...hosts.flatMap((host, index) => hostProblems(host, ["hosts", index])),
    ...keys.flatMap((key, index) => signingKeyProblems(key, ["signingKeys", index])),
    ...(input["signingKeys"] === undefined || Array.isArray(input["signingKeys"])
      ? generatedNameProblems(hosts, keys)
      : []),
    ...signWithProblems(input["signWith"], keys, hosts),
  ];
}

function hostProblems(host: Fields, path: readonly PropertyKey[]): Problem[] {
  const problems: Problem[] = [];
  const report = (key: string, message: string): void => {
    problems.push({ path: spellPath([...path, key]), message });
  };
  const local = host["connection"] === "local";
  if (!local && host["hostKey"] === undefined && host["trustOnFirstUse"] !== true) {
    report(
      "hostKey",
      "missing; accepted: the host's ed25519 or ecdsa public key (on the host: cat /etc/ssh/ssh_host_ed25519_key.pub), or trustOnFirstUse: true",
    );
  }
  if (host["hostKey"] !== undefined && host["trustOnFirstUse"] === true) {
    report("trustOnFirstUse", "true beside a hostKey; accepted: one of the two");
  }
  if (host["trustOnFirstUse"] === true && host["bastion"] !== undefined) {
    report(
      "trustOnFirstUse",
      "true beside a bastion; accepted: a hostKey, since the key cannot be asked for through a bastion",
    );
  }
  if (local) {
    for (const key of [
      "hostKey",
      "trustOnFirstUse",
      "address",
      "port",
      "user",
      "privateKey",
      "privateKeyFile",
      "privateKeyPassword",
      "bastion",
    ]) {
      if (host[key] !== undefined)
        report(
          key,
          "given beside 'connection: local', which uses no ssh; accepted: one of the two",
        );
    }
  }
  problems.push(...credentialProblems(host, path));
  if (isFields(host["bastion"]))
    problems.push(...credentialProblems(host["bastion"], [...path, "bastion"]));
  if (
    host["workers"] !== undefined &&
    (host["server"] === "nix-serve-ng" || host["server"] === "none")
  ) {
    report(
      "workers",
      `${JSON.stringify(host["workers"])} has no meaning with 'server: ${host["server"]}'; accepted: no workers, or nix-serve or harmonia as server`,
    );
  }
  const { name } = host;
  if (host["domain"] === undefined && typeof name === "string" && HOST_NAME.test(name)) {
    const kind = /^[0-9.]+$/.test(name) ? "an address" : "no DNS name";
    if (!isDomainName(name)) {
      report(
        "domain",
        `missing, and the host's name ${name} is ${kind}; accepted: a DNS name that clients use`,
      );
    }
  }
  return problems;
}

function credentialProblems(fields: Fields, path: readonly PropertyKey[]): Problem[] {
  if (fields["privateKey"] === undefined || fields["privateKeyFile"] === undefined) return [];
  return [
    {
      path: spellPath([...path, "privateKeyFile"]),
      message: "given beside privateKey; accepted: one of the two",
    },
  ];
}

function signingKeyProblems(key: Fields, path: readonly PropertyKey[]): Problem[] {
  const { name, secretKey } = key;
  // A name that cannot be one is the schema's, and may be the key itself, put there by mistake.
  if (typeof name !== "string" || !KEY_NAME.test(name)) return [];
  if (secretKey === undefined && !/-[0-9]+$/.test(name)) {
    return [
      {
        path: spellPath([...path, "name"]),
        message: `${showValue([], name)}; accepted: a generated key's name ends in a number, such as ${name}-1, so that its successors can be told apart (an imported key keeps its name)`,
      },
    ];
  }
  if (
    typeof secretKey === "string" &&
    secretKey.includes(":") &&
    secretKey.slice(0, secretKey.indexOf(":")).trim() !== name
  ) {
    return [
      {
        path: spellPath([...path, "name"]),
        message: `${showValue([], name)}; accepted: the name that the imported secretKey carries`,
      },
    ];
  }
  return [];
}

/** With one host the generated key is named after it; with more, their order would decide. */
function generatedNameProblems(hosts: readonly Fields[], keys: readonly Fields[]): Problem[] {
  if (keys.length > 0 || hosts.length < 2) return [];
  const name = hosts.map((host) => host["name"]).find((each) => typeof each === "string");
  return [
    {
      path: "signingKeys",
      message: `missing; accepted: with more than one host, the signing key by its name, such as ${typeof name === "string" && HOST_NAME.test(name) ? name : "cachy.local"}-1`,
    },
  ];
}

function signWithProblems(
  signWith: unknown,
  keys: readonly Fields[],
  hosts: readonly Fields[],
): Problem[] {
  if (typeof signWith !== "string" || signWith === "" || !KEY_NAME.test(signWith)) return [];
  const generated = `${String(hosts[0]?.["name"])}-1`;
  const names = keys.length > 0 ? keys.map((key) => key["name"]) : [generated];
  if (names.includes(signWith)) return [];
  const listed = names.filter((name) => typeof name === "string" && KEY_NAME.test(name)).join(", ");
  return [
    {
      path: "signWith",
      message: `${showValue([], signWith)}; accepted: the name of a signing key (${listed})`,
    },
  ];
}

function duplicates(
  list: string,
  entries: readonly Fields[],
  key: string,
  accepted: string,
): Problem[] {
  return entries.flatMap((entry, index) => {
    const first = entries.findIndex((other) => other[key] === entry[key]);
    if (first === index || entry[key] === undefined) return [];
    return [
      {
        path: spellPath([list, index, key]),
        message: `${JSON.stringify(entry[key])} is that of ${spellPath([list, first])} too; accepted: ${accepted}`,
      },
    ];
  });
}

/** A value as it stands in the configuration, texts without quotes. */
function spell(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Two hosts that are one machine would undo each other's work. */
function sharedMachines(hosts: readonly Fields[]): Problem[] {
  const machineOf = (host: Fields): string =>
    host["connection"] === "local"
      ? "the machine that Pulumi runs on"
      : `${spell(host["address"] ?? host["name"])} port ${spell(host["port"] ?? 22)}`;
  return hosts.flatMap((host, index) => {
    const other = hosts.slice(0, index).find((earlier) => machineOf(earlier) === machineOf(host));
    if (other === undefined || other["name"] === host["name"] || host["bastion"] !== undefined)
      return [];
    return [
      {
        path: spellPath(["hosts", index, "address"]),
        message: `${machineOf(host)} is ${String(other["name"])} already; accepted: a machine of its own for every host`,
      },
    ];
  });
}

/** Hosts of the same name are reported as such, not for the domain that follows from the name. */
function sharedDomains(hosts: readonly Fields[]): Problem[] {
  const domainOf = (host: Fields): unknown => host["domain"] ?? host["name"];
  return hosts.flatMap((host, index) => {
    const other = hosts.slice(0, index).find((earlier) => domainOf(earlier) === domainOf(host));
    if (other === undefined || domainOf(host) === undefined || other["name"] === host["name"])
      return [];
    return [
      {
        path: spellPath(["hosts", index, "domain"]),
        message: `${JSON.stringify(domainOf(host))} is that of ${String(other["name"])} too; accepted: a domain of its own for every host`,
      },
    ];
  });
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map((entry) => (isFields(entry) ? entry : {})) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
