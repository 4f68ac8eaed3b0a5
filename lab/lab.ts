import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { prepareBase, type Base } from "./base";
import { LabHost, type LabHostOptions } from "./host";
import { withLock } from "./lock";
import { createNetwork, type LabNetwork } from "./network";
import { labsDirectory } from "./paths";
import { identify } from "./processIdentity";
import { removeWithRecord, writeRecord } from "./records";
import { removeDeadLabs, removeLab } from "./removal";

export { LabHost, type LabHostOptions, type RunOptions } from "./host";

const openLabs = new Set<Lab>();
let cleansUp = false;
const lastNumber = 254;

/** A network of throw-away hosts on this machine. It goes away with the process that opened it. */
export class Lab {
  /** Where the lab keeps its hosts; tests may keep things of their own here. */
  public readonly directory: string;
  private readonly hosts: LabHost[] = [];
  private places = 0;
  private closed = false;

  private constructor(
    private readonly number: number,
    private readonly network: LabNetwork,
    private readonly base: Base,
  ) {
    this.directory = labDirectory(number);
    openLabs.add(this);
  }

  /**
   * Prepares this machine and opens an empty lab. The first time on a machine this builds the base,
   * which takes a minute or two. What killed processes left is taken away.
   */
  public static async open(options: { readonly name?: string } = {}): Promise<Lab> {
    const base = await prepareBase();
    installCleanUp();
    return withLock(join(labsDirectory, "lock"), () => {
      removeDeadLabs();
      for (let number = 1; number <= lastNumber; number++) {
        const network = claim(number, options.name ?? "unnamed");
        if (network !== undefined) {
          return new Lab(number, network, base);
        }
      }
      throw new Error(`all ${lastNumber} labs of this machine are open`);
    });
  }

  /** Makes a host and boots it. Hosts may be made at the same time. */
  public async host(options: LabHostOptions): Promise<LabHost> {
    const { name } = options;
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(name) || this.hosts.some((host) => host.name === name)) {
      throw new Error(`"${name}" cannot be the name of a new host: it is malformed or taken`);
    }
    const place = ++this.places;
    const host = new LabHost(options, {
      directory: join(this.directory, "hosts", name),
      machine: `nbc-${this.number}-${place}`,
      address: `${this.network.prefix}.${place + 1}`,
      bridge: this.network.bridge,
      lowerDirectories: this.base[options.distribution],
      privateKeyFile: this.base.privateKey,
      hostsFile: () => this.hostsFile(),
    });
    this.hosts.push(host);
    this.hosts.forEach((each) => each.refreshHostsFile());
    await host.boot();
    return host;
  }

  /** Takes the lab away with all its hosts. */
  public close(): Promise<void> {
    this.closeNow();
    return Promise.resolve();
  }

  /** As {@link close}, for a process that is about to end. */
  public closeNow(): void {
    if (!this.closed) {
      this.closed = true;
      openLabs.delete(this);
      removeLab(this.directory, this.number);
    }
  }

  private hostsFile(): string {
    const lines = this.hosts.map((host) => [host.address, host.name, ...host.domains].join(" "));
    return ["127.0.0.1 localhost", "::1 localhost", ...lines].join("\n");
  }
}

function labDirectory(number: number): string {
  return join(labsDirectory, String(number));
}

/** Only to be called under the lock. */
function claim(number: number, name: string): LabNetwork | undefined {
  try {
    mkdirSync(labDirectory(number));
  } catch {
    return undefined;
  }
  const owner = identify(process.pid);
  if (owner === undefined) {
    throw new Error("the lab cannot read /proc");
  }
  writeRecord(labDirectory(number), { number, name, owner });
  const network = createNetwork(number);
  if (network === undefined) {
    // The bridge belongs to a lab that is kept in another directory.
    removeWithRecord(labDirectory(number));
  }
  return network;
}

function installCleanUp(): void {
  if (cleansUp) {
    return;
  }
  cleansUp = true;
  const closeAll = (): void => openLabs.forEach((lab) => lab.closeNow());
  process.on("exit", closeAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      closeAll();
      // With this listener gone, the signal does what it always does.
      process.kill(process.pid, signal);
    });
  }
}
