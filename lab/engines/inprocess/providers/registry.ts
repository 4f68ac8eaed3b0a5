import { localCommand } from "./localCommand";
import { generatedOnce, type Provider } from "./provider";
import { randomBytesProvider, randomId, randomPassword, randomString } from "./random";
import { remoteCommand } from "./remoteCommand";
import { tlsPrivateKey } from "./tlsPrivateKey";

/** Finds the provider of a resource type. */
export type ProviderRegistry = (type: string) => Provider | undefined;

/** Explicit providers hold settings only; there is nothing to do for them. */
const providerResource: Provider = {
  ...generatedOnce,
  replaces: () => false,
  create: (inputs, { name }) => Promise.resolve({ id: name, outputs: inputs }),
};

/** The resource types that the in-process engine knows. */
export function makeRegistry(
  allowedHosts: readonly string[],
  workDirectory: string,
): ProviderRegistry {
  const providers = new Map<string, Provider>([
    ["command:local:Command", localCommand],
    ["command:remote:Command", remoteCommand(allowedHosts, workDirectory)],
    ["tls:index/privateKey:PrivateKey", tlsPrivateKey],
    ["random:index/randomBytes:RandomBytes", randomBytesProvider],
    ["random:index/randomId:RandomId", randomId],
    ["random:index/randomPassword:RandomPassword", randomPassword],
    ["random:index/randomString:RandomString", randomString],
  ]);
  return (type) => (type.startsWith("pulumi:providers:") ? providerResource : providers.get(type));
}
