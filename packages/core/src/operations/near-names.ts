/** What somebody may have meant by a name that is not there. */

const MOST = 3;

/** Up to three of `names`: those that hold the last segment of `typed`, else those that are at most two slips away from it. */
export function nearNames(typed: string, names: readonly string[]): string[] {
  const last = typed.split('/').at(-1) || typed;
  const holding = names.filter((name) => name.includes(last));
  if (holding.length > 0) return holding.slice(0, MOST);
  const slips = names.map((name) => ({ name, n: distance(typed, name) })).filter(({ name, n }) => n <= Math.min(2, name.length / 3));
  return slips.sort((a, b) => a.n - b.n).slice(0, MOST).map(({ name }) => name);
}

/** Letters to insert, drop or replace, or neighbours to swap (optimal string alignment); 3 stands for "too many". */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), swap));
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}
