/** SOPS files in YAML: walked and mended in their syntax tree, so that order, comments and the form of what is not encrypted stay. */
import { Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar, type Node, type Pair, type YAMLMap } from 'yaml';
import { utf8 } from '../../primitives/hash.js';
import { goString, yamlPlain } from './go-values.js';
import { badSops, type GoValue, type SopsComment, type SopsDepth, type SopsDocument, type SopsLeaf, type SopsPiece } from './model.js';
import { parseEncrypted } from './values.js';

/** Every plain scalar is text to the parser: what it is to SOPS, go-values.ts says, and what is not encrypted is written as it stood. */
const READ = { schema: 'failsafe', version: '1.2', prettyErrors: false, uniqueKeys: true, logLevel: 'silent' } as const;
const WRITE = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER } as const;
/** Of SOPS, where a file has nothing indented. */
const INDENT = 4;
const METADATA = 'sops';

/** Characters that some reader takes for a line break or refuses; and lines of spaces, which are lost in the indentation. */
const NOT_IN_BLOCK = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|^[ \t]+$/m;
/** No reader of any version of YAML takes these for anything but text. */
const PLAIN_TEXT = /^(?!(?:y|n|yes|no|on|off|true|false|null|e\d+)$)[a-z][\w./@-]*$/i;

interface Walked {
  readonly leaves: SopsLeaf[];
  readonly comments: SopsComment[];
}

export function readYamlFile(text: string): SopsDocument {
  const documents = parseYaml(text);
  const [first] = documents;
  const write = { ...WRITE, indent: /^( {1,8})[^ #\n-]/m.exec(text)?.[1]?.length ?? INDENT };
  const metadata = first && isMap(first.contents) ? (findPair(first.contents, METADATA)?.value as Node | undefined) : undefined;
  const walked: Walked = { leaves: [], comments: [] };
  const plainMetadata: unknown = metadata === undefined ? undefined : metadataOf(first!, metadata);
  for (const document of documents) {
    const contents = document.contents as Node | null;
    if (contents === null || (isScalar(contents) && contents.value === '')) continue;
    if (!isMap(contents)) throw badSops('has a document that is no map at its top');
    const block = findPair(contents, METADATA);
    if (block) {
      contents.items.splice(contents.items.indexOf(block), 1);
      // What stands above the metadata is the end of the file in clear.
      const above = (block.key as Node).commentBefore;
      if (above) document.comment = document.comment ? `${above}\n${document.comment}` : above;
    }
    takeComments(document, [], walked);
    walk(contents, [], walked);
  }
  const emit = (): Uint8Array => utf8(readBack(documents.map((document) => document.toString(write)).join(''), walked.leaves));
  return { metadata: plainMetadata, ...walked, emit, pieces: (depth) => (documents.length === 1 ? piecesOf(first!.contents as YAMLMap | null, depth) : severalDocuments()) };
}

function parseYaml(text: string): Document.Parsed[] {
  const lines = new LineCounter();
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, { ...READ, lineCounter: lines });
  } catch (error) {
    if (error instanceof RangeError) throw badSops('nests too deep'); // the parser's stack is at its end
    throw error;
  }
  if (!Array.isArray(documents)) return [];
  for (const { errors } of documents) if (errors[0]) throw badSops(`is no valid YAML in line ${lines.linePos(errors[0].pos[0]).line}`);
  return documents as Document.Parsed[];
}

function metadataOf(document: Document, node: Node): unknown {
  const alias = containsAlias(node);
  if (alias) throw badSops('has an alias in its metadata, which sops does not write');
  return node.toJS(document, { maxAliasCount: 0 });
}

function containsAlias(node: unknown): boolean {
  if (isAlias(node)) return true;
  if (isMap(node)) return node.items.some((pair) => containsAlias(pair.key) || containsAlias(pair.value));
  return isSeq(node) && node.items.some(containsAlias);
}

function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair) === key);
}

function keyOf({ key }: Pair): string {
  if (!isScalar(key) || typeof key.value !== 'string') throw badSops('has a key that is no text');
  return key.value;
}

/** Scalars in the order of the file. What is null is no leaf: SOPS leaves it alone. */
function walk(node: unknown, keys: readonly string[], walked: Walked): void {
  if (node === null || node === undefined) return;
  if (isAlias(node)) throw badSops('has an alias (*name), which sops does not write');
  if (isMap(node)) {
    takeComments(node, keys, walked);
    for (const pair of node.items) {
      const inner = [...keys, keyOf(pair)];
      takeComments(pair.key as Node, inner, walked);
      walk(pair.value, inner, walked);
    }
  } else if (isSeq(node)) {
    takeComments(node, keys, walked);
    node.items = node.items.filter((item, i, all) => !takeCommentItem(item, all.slice(i + 1).find((next) => !isCommentItem(next)), keys, walked));
    for (const item of node.items) walk(item, keys, walked);
  } else if (isScalar(node)) {
    takeComments(node, keys, walked);
    const clear = clearOf(node);
    if (clear) walked.leaves.push(leafOf(node, keys, clear));
  } else throw badSops('has a node of a sort that sops does not write');
}

function clearOf(node: Scalar): GoValue | undefined {
  const text = String(node.value);
  return node.type === Scalar.PLAIN && node.tag === undefined ? yamlPlain(text) : goString(text);
}

function leafOf(node: Scalar, keys: readonly string[], clear: GoValue): SopsLeaf {
  let now = clear;
  return {
    keys,
    text: String(node.value),
    clear: () => now,
    put: (value) => {
      now = value;
      node.value = value.text;
      node.type = styleOf(value);
    },
  };
}

function styleOf({ type, text }: GoValue): Scalar.Type {
  if (type !== 'str' || PLAIN_TEXT.test(text)) return Scalar.PLAIN;
  return text.includes('\n') && !NOT_IN_BLOCK.test(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
}

/** SOPS writes an encrypted comment between items of a list as an item of its own. */
function isCommentItem(item: unknown): item is Scalar<string> {
  return isScalar(item) && typeof item.value === 'string' && parseEncrypted(item.value)?.type === 'comment';
}

function takeCommentItem(item: unknown, next: unknown, keys: readonly string[], { comments }: Walked): boolean {
  if (!isCommentItem(item)) return false;
  const put = (text: string | undefined): void => {
    const below = next as Node | undefined;
    if (text !== undefined && below) below.commentBefore = below.commentBefore ? `${below.commentBefore}\n${text}` : text;
  };
  comments.push({ places: [keys], text: item.value, put });
  return true;
}

type Commented = Pick<Node, 'comment' | 'commentBefore'>;

/** A comment was encrypted for the map or list that it stands in, which the parser cannot always tell: all above are tried. */
function takeComments(node: Commented, keys: readonly string[], { comments }: Walked): void {
  const places = keys.map((_, i) => keys.slice(0, keys.length - i)).concat([[]]);
  for (const where of ['commentBefore', 'comment'] as const) {
    const lines = node[where]?.split('\n');
    lines?.forEach((line, index) => {
      if (parseEncrypted(line)?.type !== 'comment') return;
      comments.push({
        places,
        text: line,
        put: (text) => {
          const now: (string | undefined)[] = lines;
          now[index] = text;
          node[where] = now.filter((other) => other !== undefined).join('\n') || null;
        },
      });
    });
  }
}

/** Read again, it must hold the same values: whatever the printer would lose, is not lost silently. */
function readBack(text: string, leaves: readonly SopsLeaf[]): string {
  const again: Walked = { leaves: [], comments: [] };
  for (const { contents } of parseYaml(text)) if (isMap(contents)) walk(contents, [], again);
  const same = again.leaves.length === leaves.length && again.leaves.every((leaf, i) => sameLeaf(leaf, leaves[i]!));
  if (!same) throw badSops('holds a value that cannot be written in YAML without loss');
  return text;
}

function sameLeaf(read: SopsLeaf, put: SopsLeaf): boolean {
  const [a, b] = [read.clear(), put.clear()];
  return a.text === b.text && (a.type === 'str') === (b.type === 'str') && read.keys.join('\0') === put.keys.join('\0');
}

function severalDocuments(): never {
  throw badSops('has several documents, which cannot be told apart by key', 'Take it in whole, without --split.');
}

function piecesOf(contents: YAMLMap | null, depth: SopsDepth): SopsPiece[] {
  if (!isMap(contents)) return [];
  return contents.items.flatMap((pair) => pieceOf(pair.value, [keyOf(pair)], depth));
}

function pieceOf(node: unknown, path: readonly (string | number)[], depth: SopsDepth): SopsPiece[] {
  if (isMap(node) && depth === 'leaves') return node.items.flatMap((pair) => pieceOf(pair.value, [...path, keyOf(pair)], depth));
  if (isSeq(node) && depth === 'leaves') return node.items.flatMap((item, i) => pieceOf(item, [...path, i], depth));
  if (isScalar(node)) return [{ path, bytes: clearOf(node) && node.value !== '' ? utf8(String(node.value)) : undefined, scalar: true }];
  if (!isMap(node) && !isSeq(node)) return [{ path, bytes: undefined, scalar: true }];
  const document = new Document(null, READ);
  document.contents = node;
  return [{ path, bytes: utf8(document.toString({ ...WRITE, indent: INDENT })), scalar: false }];
}

