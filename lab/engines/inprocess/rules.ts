import { version } from "@pulumi/pulumi/version";

/** Where the real engine's versions differ in what they do. */
export interface EngineRules {
  /**
   * Whether a resource is replaced when the one is that it is deleted with. Until 3.259 it is left
   * alone: nothing of it runs on the new host.
   */
  readonly replaceWhatIsDeletedWith: boolean;
}

/** The rules of the real engine of a version; by default the one of the SDK in use. */
export function engineRules(ofVersion: string = version): EngineRules {
  const [major = 0, minor = 0] = ofVersion.replace(/^v/, "").split(".").map(Number);
  return { replaceWhatIsDeletedWith: major > 3 || (major === 3 && minor >= 260) };
}
