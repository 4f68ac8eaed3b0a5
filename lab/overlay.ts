import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { mustRunNow } from "./programs";

/** Mounts a fresh disk for a host: the base below, everything the host writes in `directory`. */
export function mountFreshDisk(directory: string, lowerDirectories: string): void {
  const [upper, work, merged] = ["upper", "work", "root"].map((name) => join(directory, name));
  for (const part of [upper, work, merged]) {
    mkdirSync(part!, { recursive: true });
  }
  // This becomes the mode of the host's root directory.
  chmodSync(upper!, 0o755);
  // Nothing here is meant to survive this machine, so nothing waits for its disk: volatile.
  const options = `lowerdir=${lowerDirectories},upperdir=${upper},workdir=${work},volatile`;
  mustRunNow("mount", ["--types", "overlay", "--options", options, "overlay", merged!]);
}

/** Unmounts a host's disk and throws it away. */
export function removeDisk(directory: string): void {
  mustRunNow("umount", ["--lazy", join(directory, "root")]);
  for (const part of ["upper", "work", "root"]) {
    rmSync(join(directory, part), { recursive: true, force: true });
  }
}

/** Gives a fresh disk what makes it this one host, and answers with its new public host key. */
export function personalise(root: string, host: { name: string; address: string }): string {
  const keyFile = join(root, "etc/ssh/ssh_host_ed25519_key");
  const parameters = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", keyFile];
  mustRunNow("ssh-keygen", parameters);
  writePublicFile(join(root, "etc/machine-id"), `${randomBytes(16).toString("hex")}\n`);
  writePublicFile(join(root, "etc/hostname"), `${host.name}\n`);
  writePublicFile(join(root, "etc/lab-address"), `${host.address}/24\n`);
  return readFileSync(`${keyFile}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
}

/** Writes a file that everyone on the host may read, whatever the umask here. */
export function writePublicFile(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o644);
}
