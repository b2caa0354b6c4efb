/** Words that AssemblyScript does not take as the name of a constant, a field or a class. */
const KEYWORDS: readonly string[] = (
  "abstract as async await break case catch class const constructor continue debugger declare default " +
  "delete do else enum export extends false finally for function i32 if implements import in instanceof " +
  "interface let module namespace new null of override package private protected public readonly return " +
  "static super switch this throw true try type typeof var void while with yield"
).split(" ");

/** Modifiers: the only words that AssemblyScript does not take as the name of a method. */
const MODIFIERS: readonly string[] =
  "abstract constructor declare override private protected public readonly static".split(" ");

/** Members of the class `Message`, which every generated message extends. */
const MESSAGE_MEMBERS: readonly string[] = (
  "unknownFields typeName write read initialized encode decode keep keepVarint other unknown " +
  "toString valueOf"
).split(" ");

/** Members of the class `Service`, which every generated server extends. */
const SERVICE_MEMBERS: readonly string[] =
  "serviceName methodNames answerCall toString valueOf".split(" ");

/** Names that generated code, or its user, means AssemblyScript's own things by. */
const GLOBALS: readonly string[] = (
  "Array ArrayBuffer Boolean DataView Date Error Float32Array Float64Array Function Int16Array Int32Array " +
  "Int64Array Int8Array Iterator Map Math Mathf NativeMath NativeMathf Number Object Promise RangeError " +
  "RegExp Set StaticArray String Symbol SyntaxError TypeError Uint16Array Uint32Array Uint64Array " +
  "Uint8Array Uint8ClampedArray URIError Reflect Atomics Crypto JSON console crypto performance process " +
  "memory table heap asc atomic i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 isize usize bool boolean string " +
  "number any object symbol undefined never unknown v128 ref NaN Infinity ASC_TARGET trace abort seed"
).split(" ");

/** Variables of generated methods, which a class of that name would be hidden by. */
const LOCALS: readonly string[] =
  "r w tag start endTag outer key value list map keys values at mark inner index call request".split(
    " ",
  );

/** What may not name a field of a message. */
export const FIELD_NAMES: ReadonlySet<string> = new Set([...KEYWORDS, ...MESSAGE_MEMBERS]);

/** What may not name a method of a client or of a server. */
export const METHOD_NAMES: ReadonlySet<string> = new Set([...MODIFIERS, ...SERVICE_MEMBERS]);

/** What may not name a value of an enum or a case of a oneof. */
export const CONSTANT_NAMES: ReadonlySet<string> = new Set(KEYWORDS);

/** What may not name a class or a namespace of a generated file. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([...KEYWORDS, ...GLOBALS, ...LOCALS]);

/**
 * Gives each thing of one scope a name of its own: the wanted one, or that with as many `$` behind it as
 * it needs. Names of .proto files cannot contain a `$`.
 */
export class NameScope {
  readonly #taken: Set<string>;

  constructor(reserved: Iterable<string>) {
    this.#taken = new Set(reserved);
  }

  /** Takes a name. */
  take(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "$";
    this.#taken.add(name);
    return name;
  }
}
