import { readFileSync } from "node:fs";

import { mustRunNow, runProgramNow } from "./programs";

/** The network of one lab: a bridge without a way out, and a range of addresses on it. */
export interface LabNetwork {
  readonly bridge: string;
  /** The first three numbers of every address. */
  readonly prefix: string;
}

interface Route {
  readonly dst: string;
}

// Any private block will do; the later ones serve when a route of this machine covers the first.
const secondNumbers = [213, 214, 117, 76, 33];

/** Makes the network of the lab with this number; undefined when the number is taken elsewhere. */
export function createNetwork(number: number): LabNetwork | undefined {
  const bridge = bridgeOf(number);
  const prefix = freePrefix(number);
  if (runProgramNow("ip", ["link", "add", bridge, "type", "bridge"]).code !== 0) {
    return undefined;
  }
  mustRunNow("ip", ["address", "add", `${prefix}.1/24`, "dev", bridge]);
  mustRunNow("ip", ["link", "set", bridge, "up"]);
  allowForwarding(bridge, "--insert");
  return { bridge, prefix };
}

/** Takes the network of the lab with this number away, if it is there. */
export function removeNetwork(number: number): void {
  const bridge = bridgeOf(number);
  if (runProgramNow("ip", ["link", "show", bridge]).code === 0) {
    allowForwarding(bridge, "--delete");
    runProgramNow("ip", ["link", "delete", bridge]);
  }
}

/** Plugs the cable of a machine in or out, at the bridge's end. */
export function setCable(machine: string, state: "up" | "down"): void {
  mustRunNow("ip", ["link", "set", `vb-${machine}`, state]);
}

function bridgeOf(number: number): string {
  return `nbc${number}`;
}

function freePrefix(number: number): string {
  const routes = JSON.parse(mustRunNow("ip", ["-json", "-4", "route"])) as readonly Route[];
  const taken = routes.map((route) => route.dst).filter((destination) => destination !== "default");
  const candidates = secondNumbers.map((second) => `10.${second}.${number}`);
  const free = candidates.find((prefix) => !taken.some((route) => overlaps(route, prefix)));
  if (free === undefined) {
    throw new Error(`no free private network for the lab: ${candidates.join(", ")} are all routed`);
  }
  return free;
}

function overlaps(route: string, prefix: string): boolean {
  const [address = "", length = "32"] = route.split("/");
  const common = Math.min(Number(length), 24);
  const mask = common === 0 ? 0 : (0xffffffff << (32 - common)) >>> 0;
  return ((toNumber(address) ^ toNumber(`${prefix}.0`)) & mask) === 0;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);
}

/**
 * Where Docker runs, the kernel sends what crosses a bridge through a chain that drops by default,
 * and the hosts of a lab could not see one another.
 */
function allowForwarding(bridge: string, action: "--insert" | "--delete"): void {
  let filtered: string;
  try {
    filtered = readFileSync("/proc/sys/net/bridge/bridge-nf-call-iptables", "utf8").trim();
  } catch {
    return;
  }
  if (filtered === "1" && runProgramNow("sh", ["-c", "command -v iptables"]).code === 0) {
    const rule = ["FORWARD", "--in-interface", bridge, "--out-interface", bridge];
    runProgramNow("iptables", ["--wait", action, ...rule, "--jump", "ACCEPT"]);
  }
}
