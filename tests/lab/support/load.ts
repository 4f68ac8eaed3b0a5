import { type CacheAddress, fetchFrom } from "../../../lab/binaryCache";

/** What clients that ask without pause have seen. */
export interface Load {
  /** Ends the requests and tells how many there were and what went wrong. */
  stop(): Promise<{ readonly requests: number; readonly failures: readonly string[] }>;
}

/** Asks for paths of a cache, several at a time, until it is stopped. */
export function startLoad(cache: CacheAddress, paths: readonly string[], clients = 4): Load {
  let running = true;
  let requests = 0;
  const failures: string[] = [];
  const client = async (offset: number): Promise<void> => {
    for (let turn = offset; running; turn++) {
      const path = paths[turn % paths.length] ?? "/nix-cache-info";
      try {
        const { status } = await fetchFrom(cache, path);
        if (status !== 200) failures.push(`${path}: status ${status}`);
      } catch (error) {
        failures.push(`${path}: ${String(error)}`);
      }
      requests++;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, offset) => client(offset)));
  return {
    stop: async () => {
      running = false;
      await all;
      return { requests, failures };
    },
  };
}
