import { BinaryCache } from "./components/binaryCache";
import { loadConfiguration } from "./config/load";

const configuration = loadConfiguration();
const cache = new BinaryCache("binary-cache", configuration);

/** The NixOS module for clients: `pulumi stack output clientModule > modules/binary-cache.nix`. */
export const clientModule = cache.clientModule;
/** The address of the first cache host. */
export const cacheUrl = cache.cacheUrl;
/** The keys that clients are to trust. */
export const publicKeys = cache.publicKeys;
/** What `nix.settings.substituters` is set to. */
export const substituters = cache.substituters;
/** The cache hosts: name, address, server. */
export const hosts = cache.hosts;
/** The names of the clients in the flake. */
export const clients = configuration.clients.map(({ name }) => name);
