import type { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';

/**
 * A piece of bootstrap material. `file` holds the bytes of the file that the tool wants (design: no lock-in); `parameters` are
 * what a generator needs to make the next one (never secret); `public` are the public parts, signed into the statement.
 */
export interface Material {
  readonly kind: string;
  readonly file: Secret;
  readonly parameters: JsonObject;
  readonly public: JsonObject;
}

/** What a generator may ask for beside its parameters. */
export interface GenerateContext {
  /** Whole seconds since 1970: the time from which validity counts. */
  readonly now: number;
  /** The secret's name, for comments and defaults. */
  readonly name: string;
  /** Issuers by secret name: the private file and public parts of a CA made or opened earlier in the same run. */
  issuer?(name: string): Promise<Material>;
  /** The current version when rotating: kind, parameters and public parts, never the private file. */
  readonly previous?: Pick<Material, 'kind' | 'parameters' | 'public'>;
}

/** What a self-check may ask for. */
export interface CheckContext {
  readonly now: number;
}

export interface CheckResult {
  /** Short words for people: "key matches certificate". */
  readonly check: string;
  readonly ok: boolean;
  /** Without secrets. */
  readonly detail?: string;
}

/** How a secret gets its next value. */
export interface Rotation {
  /**
   * `generate`: `rotate` makes it. `by-hand`: somebody outside issues it, then `seal` takes it in. `plan`: no single command
   * does it safely; a document says how.
   */
  readonly how: 'generate' | 'by-hand' | 'plan';
  /** What people have to do, as an imperative that can follow a colon: "make a new API key at Scaleway, by hand". */
  readonly words: string;
}

/** One kind of material: how it is made, taken in, viewed and checked. */
export interface MaterialKind {
  readonly kind: string;
  /** One line for help and tables. */
  readonly summary: string;
  /** True when the value cannot be generated and must be imported. */
  readonly importOnly?: boolean;
  /**
   * Checks and completes parameters as people wrote them (bootstrap.yaml, --set). What comes out can be signed, and is a fixed
   * point: parameters(parameters(x)) equals parameters(x). For an import less is required, because the value says the rest.
   * Throws BAD_VALUE (a ParameterError, parameters.ts) naming the field.
   */
  parameters(raw: JsonObject, origin?: 'generate' | 'import'): JsonObject;
  /** What would be made, in a few words: "P-384 root, 20 years, path length 1". */
  describe(parameters: JsonObject): string;
  generate?(parameters: JsonObject, context: GenerateContext): Promise<Material>;
  /**
   * Names under which a value can be taken in piece by piece (`import: { env: { access: SCW_ACCESS_KEY } }`). Such an import
   * reaches `import` as one JSON object of strings (importedFields in fields.ts). Absent: only as whole bytes.
   */
  readonly importFields?: Readonly<Record<string, 'required' | 'optional'>>;
  /** Takes existing bytes in. Throws BAD_MATERIAL that names what is wrong, never a part of the value. */
  import(bytes: Uint8Array, parameters: JsonObject, context: GenerateContext): Promise<Material>;
  /** Named views: from the file and the public parts. `private` fields need the file. */
  readonly fields: Readonly<Record<string, MaterialField>>;
  /** Proves that file and public parts belong together. Never throws for a bad value: says so in the results. */
  check(material: Material, context: CheckContext): Promise<CheckResult[]>;
  /** One short phrase after a check passed: "12 hosts, 4 groups". */
  facts(publicParts: JsonObject): string;
  rotation(parameters: JsonObject, publicParts: JsonObject): Rotation;
}

export interface MaterialField {
  readonly private: boolean;
  read(material: Material): Uint8Array | string;
}
