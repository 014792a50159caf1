const LINE = /^(?:|#.*|(?<key>vault|expect): +(?:"(?<quoted>[\w./+:@~# -]*)"|(?<bare>[\w./][\w./+:@~#-]*)))$/;
/** A bare word that YAML could take for a number, a truth or nothing: the letters of numbers alone, or one of its words. */
const NO_TEXT = /^[\d.e+-]*$|^0[xo]|^[.]?(?:true|false|null|inf|nan)$|:$/i;

/**
 * What an oxp-vault.yaml of plain `key: value` lines says, as `init` writes it; undefined where it is more than that, or might be.
 * Every command reads one, and to load a YAML parser takes longer than the rest of most of them.
 */
export function plainLines(text: string): Record<string, string> | undefined {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const { key, quoted, bare } = LINE.exec(line)?.groups ?? { key: '' };
    if (key === undefined) continue;
    const value = quoted ?? (bare === undefined || NO_TEXT.test(bare) ? undefined : bare);
    if (value === undefined || found.has(key)) return undefined;
    found.set(key, value);
  }
  return found.size === 0 ? undefined : Object.fromEntries(found);
}
