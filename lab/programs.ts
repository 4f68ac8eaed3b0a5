import { spawn, spawnSync } from "node:child_process";

/** What a program said and how it ended. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of {@link runProgram}. */
export interface ProgramOptions {
  readonly input?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly timeoutSeconds?: number | undefined;
  /** Show standard error as it comes, rather than collecting it. */
  readonly showErrors?: boolean | undefined;
}

/** Runs a program to its end. Fails only when it cannot be started or takes too long. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      env: options.environment ?? process.env,
      stdio: ["pipe", "pipe", options.showErrors === true ? "inherit" : "pipe"],
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => errors.push(chunk));
    // A program may end without reading what it was given; its exit code tells the story.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");

    let timedOut = false;
    const seconds = options.timeoutSeconds;
    const timer =
      seconds === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, seconds * 1000);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(output).toString();
      const stderr = Buffer.concat(errors).toString();
      if (timedOut) {
        reject(new Error(`${program} took more than ${seconds} s\n${stdout}${stderr}`));
      } else {
        resolve({ code: code ?? -1, stdout, stderr });
      }
    });
  });
}

/** Runs a program to its end while nothing else happens; for clean-up when the process ends. */
export function runProgramNow(program: string, parameters: readonly string[]): ProgramResult {
  const result = spawnSync(program, parameters, { encoding: "utf8" });
  return { code: result.status ?? -1, stdout: result.stdout ?? "", stderr: result.stderr ?? "" };
}

/** As {@link runProgramNow}, and fails with the program's own words when it did not succeed. */
export function mustRunNow(program: string, parameters: readonly string[]): string {
  const result = runProgramNow(program, parameters);
  if (result.code !== 0) {
    throw new Error(`${program} ${parameters.join(" ")} failed: ${result.stderr || result.stdout}`);
  }
  return result.stdout;
}
