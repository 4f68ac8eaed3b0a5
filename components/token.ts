/** The type token of a component of this program. */
export function token(component: string): string {
  return `nixcache:index:${component}`;
}
