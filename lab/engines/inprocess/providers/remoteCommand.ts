import type { Properties } from "../wire";
import {
  commandProvider,
  environmentOf,
  failureMessage,
  logPrinted,
  printed,
  text,
  type Printed,
} from "./command";
import { checkConnection, readConnection } from "./connection";
import type { Provider } from "./provider";
import { executeRemotely, type RemoteExecution } from "./ssh";

const optional = ["PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"];

/**
 * Sees to it that the server takes the environment: `ssh` does not tell, the provider fails.
 *
 * @throws Error in the provider's words for the first variable that the server refuses
 */
async function checkEnvironment(execution: RemoteExecution): Promise<void> {
  const required = Object.keys(execution.environment).filter((name) => !optional.includes(name));
  if (required.length === 0) {
    return;
  }
  const words = required.map((name) => `"\${${name}+${name}}"`).join(" ");
  const { stdout } = await executeRemotely({
    ...execution,
    command: `printf '%s\\n' ${words}`,
    stdin: "",
  });
  const arrived = stdout.split("\n");
  const refused = required.find((name) => !arrived.includes(name));
  if (refused !== undefined) {
    throw new Error(`could not set environment variable "${refused}": ssh: setenv failed`);
  }
}

/** `command:remote:Command`, which goes to the given hosts and to this machine only. */
export function remoteCommand(allowedHosts: readonly string[], workDirectory: string): Provider {
  const check = (inputs: Properties): string[] => checkConnection(inputs, allowedHosts);
  return commandProvider(
    async (script, inputs, previous: Printed, context) => {
      // A deletion uses the recorded connection, which nobody has checked in this run.
      const [failure] = check(inputs);
      if (failure !== undefined) {
        throw new Error(failure);
      }
      const stdin = text(inputs, "stdin");
      const execution: RemoteExecution = {
        connection: readConnection(inputs),
        command: script,
        environment: environmentOf(inputs, previous),
        workDirectory,
        log: context.log,
        ...(stdin === undefined || stdin === "" ? {} : { stdin }),
        ...(context.timeout === undefined ? {} : { timeout: context.timeout }),
      };
      await checkEnvironment(execution);
      const ended = await executeRemotely(execution);
      logPrinted(inputs, ended, context);
      if (ended.status !== 0) {
        const reason = ended.broken
          ? "wait: remote command exited without exit status or exit signal"
          : `Process exited with status ${ended.status ?? String(ended.signal)}`;
        throw new Error(failureMessage(reason, script, ended));
      }
      return { ...printed(ended) };
    },
    check,
    ["connection"],
  );
}
