import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine. */
export interface Process {
  readonly id: number;
  readonly parent: number;
  /** The name of its program, of which the kernel keeps 15 characters. */
  readonly program: string;
}

function read(id: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${id}/stat`, "utf8");
    // The name stands in parentheses and may itself contain some.
    const end = status.lastIndexOf(")");
    const parent = Number(status.slice(end + 2).split(" ")[1]);
    return { id, parent, program: status.slice(status.indexOf("(") + 1, end) };
  } catch {
    return undefined;
  }
}

/** The processes that run now and that we may look at. */
export function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)) ?? []);
}

/** Whether a process was started with that setting in its environment. */
export function hasSetting({ id }: Process, name: string, value: string): boolean {
  try {
    const settings = readFileSync(`/proc/${id}/environ`, "utf8").split("\0");
    return settings.includes(`${name}=${value}`);
  } catch {
    return false;
  }
}

/** Ends a process at once, if it is still there. */
export function kill({ id }: Pick<Process, "id">): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
