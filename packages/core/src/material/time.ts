/** `2046-11-23`, of whole seconds since 1970, UTC. */
export function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** The last second of a span of years that begins at `seconds`. 29 February is followed by 1 March where the year has none. */
export function lastSecondAfterYears(seconds: number, years: number): number {
  const date = new Date(seconds * 1000);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return Math.floor(date.getTime() / 1000) - 1;
}
