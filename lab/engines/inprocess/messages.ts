import type { Change } from "../contract";
import type { Properties } from "./wire";

/** What the engine tells the process that does a run. */
export interface RunRequest {
  readonly operation: "up" | "preview" | "destroy";
  readonly excludeProtected: boolean;
  readonly program: string;
  readonly entry: string;
  readonly project: string;
  readonly stack: string;
  /** With namespace; every value as the text that the CLI hands to a program. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
  readonly stateFile: string;
  readonly lockFile: string;
  readonly workDirectory: string;
  readonly passphrase: string;
  readonly allowedHosts: readonly string[];
}

/** What that process tells when it is done. */
export interface RunReport {
  readonly succeeded: boolean;
  readonly changes: readonly Change[];
  readonly resources: number;
  readonly outputs: Properties;
}

/** The file descriptor on which it does so; no secret output touches the disk. */
export const reportDescriptor = 3;
