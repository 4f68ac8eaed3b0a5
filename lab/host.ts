import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cutPower, pressPowerButton, startMachine } from "./machine";
import { setCable } from "./network";
import { mountFreshDisk, personalise, removeDisk, writePublicFile } from "./overlay";
import { isAlive, type ProcessIdentity } from "./processIdentity";
import type { ProgramResult } from "./programs";
import { writeRecord } from "./records";
import { runOverSsh, waitForSsh } from "./ssh";

/** What a test says about a host it wants. */
export interface LabHostOptions {
  readonly name: string;
  readonly distribution: "debian" | "arch";
  /** Further names under which the hosts of the lab know this one. */
  readonly domains?: readonly string[];
}

/** What the lab decides about a host. */
export interface LabHostPlace {
  readonly directory: string;
  readonly machine: string;
  readonly address: string;
  readonly bridge: string;
  readonly lowerDirectories: string;
  readonly privateKeyFile: string;
  /** Lines of /etc/hosts, asked for whenever the host gets a fresh disk. */
  readonly hostsFile: () => string;
}

/** Settings of {@link LabHost.run}. */
export interface RunOptions {
  readonly input?: string;
  /** root, unless said otherwise. */
  readonly user?: string;
  /** Ten minutes, unless said otherwise. */
  readonly timeoutSeconds?: number;
}

const bootSeconds = 60;
const powerOffSeconds = 30;

/** One machine of the lab: Debian or an Arch look-alike, with systemd, sshd and a disk of its own. */
export class LabHost {
  public readonly name: string;
  public readonly address: string;
  public readonly distribution: LabHostOptions["distribution"];
  public readonly domains: readonly string[];
  /** The private half of the key that root, operator and fisher accept on every host. */
  public readonly privateKeyFile: string;
  /** The host's disk, as a directory of this machine. */
  public readonly root: string;
  /** What the host's console said. */
  public readonly consoleFile: string;

  private process: ProcessIdentity | undefined;
  private publicHostKey = "";

  /** Makes the host with a fresh disk; it is off until {@link boot}. */
  public constructor(
    options: LabHostOptions,
    private readonly place: LabHostPlace,
  ) {
    this.name = options.name;
    this.distribution = options.distribution;
    this.domains = options.domains ?? [];
    this.address = place.address;
    this.privateKeyFile = place.privateKeyFile;
    this.root = join(place.directory, "root");
    this.consoleFile = join(place.directory, "console.log");
    mkdirSync(place.directory, { recursive: true });
    this.makeFreshDisk();
  }

  /** The public half of the host's key, as `ssh-ed25519 AAAA…`. */
  public get hostKey(): string {
    return this.publicHostKey;
  }

  /** Whether the host has power. */
  public get isOn(): boolean {
    return this.process !== undefined && isAlive(this.process);
  }

  /** Runs a command over a fresh ssh connection. Its exit code is part of the answer. */
  public run(command: string, options: RunOptions = {}): Promise<ProgramResult> {
    const login = {
      address: this.address,
      user: options.user ?? "root",
      privateKeyFile: this.privateKeyFile,
      knownHostsFile: this.knownHostsFile,
    };
    const timeoutSeconds = options.timeoutSeconds ?? 600;
    return runOverSsh(login, command, { input: options.input, timeoutSeconds });
  }

  /** As {@link run}, but answers with standard output, and fails if the command does. */
  public async must(command: string, options: RunOptions = {}): Promise<string> {
    const result = await this.run(command, options);
    if (result.code !== 0) {
      const output = `${result.stdout}${result.stderr}`.trimEnd();
      throw new Error(`${this.name}: exit code ${result.code} from: ${command}\n${output}`);
    }
    return result.stdout;
  }

  /** Switches the host on and waits until it can be logged in to. */
  public async boot(): Promise<void> {
    if (this.isOn) {
      return;
    }
    this.start();
    await this.reachable();
  }

  /** Waits until the host can be logged in to; needed after a reboot of its own accord. */
  public async reachable(timeoutSeconds = bootSeconds): Promise<void> {
    if (!(await waitForSsh(this.address, timeoutSeconds, () => this.process !== undefined))) {
      const said = readFileSync(this.consoleFile, "utf8").split("\n").slice(-30).join("\n");
      throw new Error(`${this.name} was not up within ${timeoutSeconds} s; its console:\n${said}`);
    }
  }

  /** Shuts the host down in good order; its disk stays. */
  public async powerOff(): Promise<void> {
    if (this.process !== undefined) {
      pressPowerButton(this.process);
      const end = Date.now() + powerOffSeconds * 1000;
      while (this.isOn && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await this.kill();
  }

  /** Ends the host at once, like a power cut; its disk stays as it is. */
  public kill(): Promise<void> {
    cutPower(this.place.machine, this.process);
    this.process = undefined;
    this.writeRecord();
    return Promise.resolve();
  }

  /** Shuts the host down in good order and boots it again. */
  public async restart(): Promise<void> {
    await this.powerOff();
    await this.boot();
  }

  /** Replaces the host by a new machine at the same address: empty disk, new host key. */
  public async reinstall(): Promise<void> {
    await this.kill();
    removeDisk(this.place.directory);
    this.makeFreshDisk();
    await this.boot();
  }

  /** Pulls the network cable. */
  public disconnect(): Promise<void> {
    setCable(this.place.machine, "down");
    return Promise.resolve();
  }

  /** Puts the network cable back. */
  public async connect(): Promise<void> {
    setCable(this.place.machine, "up");
    await this.reachable();
  }

  /** Brings the host's /etc/hosts up to date, leaving lines that are not the lab's alone. */
  public refreshHostsFile(): void {
    const file = join(this.root, "etc/hosts");
    const mark = "# lab";
    let foreign: string[] = [];
    try {
      const lines = readFileSync(file, "utf8").trimEnd().split("\n");
      foreign = lines.filter((line) => !line.endsWith(mark));
    } catch {
      // A fresh disk has no such file.
    }
    const own = this.place.hostsFile().trimEnd().split("\n");
    const lines = [...own.map((line) => `${line} ${mark}`), ...foreign];
    writePublicFile(file, `${lines.join("\n")}\n`);
  }

  private get knownHostsFile(): string {
    return join(this.place.directory, "known_hosts");
  }

  private start(): void {
    const identity = startMachine({
      machine: this.place.machine,
      hostname: this.name,
      root: this.root,
      bridge: this.place.bridge,
      consoleFile: this.consoleFile,
      onEnd: (reboots) => {
        // Unless it was switched off or has been started anew since.
        if (this.process === identity) {
          this.process = undefined;
          if (reboots) {
            this.start();
          }
        }
      },
    });
    this.process = identity;
    this.writeRecord();
  }

  private makeFreshDisk(): void {
    mountFreshDisk(this.place.directory, this.place.lowerDirectories);
    this.publicHostKey = personalise(this.root, this);
    writeFileSync(this.knownHostsFile, `${this.address} ${this.publicHostKey}\n`);
    this.refreshHostsFile();
    this.writeRecord();
  }

  private writeRecord(): void {
    writeRecord(this.place.directory, {
      name: this.name,
      machine: this.place.machine,
      distribution: this.distribution,
      address: this.address,
      hostKey: this.publicHostKey,
      privateKeyFile: this.privateKeyFile,
      process: this.process,
      bootedAt: this.process === undefined ? undefined : new Date().toISOString(),
    });
  }
}
