/** Numbers in sentences: one place knows that one entry is not `1 entries`. */

/** `1 secret`, `1,204 entries`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${thousands(n)} ${n === 1 ? one : many}`;
}

/** `1,204` */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 entry`: what a log is measured in. */
export function entries(n: number): string {
  return count(n, 'entry', 'entries');
}
