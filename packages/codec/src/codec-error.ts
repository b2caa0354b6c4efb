/**
 * Thrown when bytes are not the message they should be, or a message cannot be written as bytes.
 *
 * The message of the error names the message type, says what is wrong, and where.
 */
export class CodecError extends Error {
  override readonly name = "CodecError";
  /** The message type that was being decoded or encoded, such as `dropthrough.file.v1.ReadRequest`. */
  readonly typeName: string;

  constructor(typeName: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.typeName = typeName;
  }
}
