import { Attribute, List, Map$, Value } from "./gen/dropthrough/log/v1/log";

/**
 * Facts about a record, each under a key:
 *
 * ```
 * log.info("saved", attributes().string("key", key).int("bytes", size).map("user", attributes().bool("new", true)));
 * ```
 *
 * A key that is given twice has the value that was given last.
 */
export function attributes(): Attributes {
  return new Attributes();
}

/** Values in order, for `Attributes.list`. */
export function values(): Values {
  return new Values();
}

/** See `attributes`. */
@final
export class Attributes {
  /** What was given so far. */
  readonly items: Array<Attribute> = [];

  string(key: string, value: string): this {
    this.add(key).string = value;
    return this;
  }

  int(key: string, value: i64): this {
    this.add(key).int = value;
    return this;
  }

  double(key: string, value: f64): this {
    this.add(key).double = value;
    return this;
  }

  bool(key: string, value: bool): this {
    this.add(key).bool = value;
    return this;
  }

  bytes(key: string, value: Uint8Array): this {
    this.add(key).bytes = value;
    return this;
  }

  list(key: string, value: Values): this {
    this.add(key).list = value.message();
    return this;
  }

  map(key: string, value: Attributes): this {
    this.add(key).map = value.message();
    return this;
  }

  /** As a map. */
  message(): Map$ {
    const map = new Map$();
    map.attributes = this.items;
    return map;
  }

  private add(key: string): Value {
    const attribute = new Attribute();
    attribute.key = key;
    const value = new Value();
    attribute.value = value;
    this.items.push(attribute);
    return value;
  }
}

/** See `values`. */
@final
export class Values {
  private readonly items: Array<Value> = [];

  string(value: string): this {
    this.add().string = value;
    return this;
  }

  int(value: i64): this {
    this.add().int = value;
    return this;
  }

  double(value: f64): this {
    this.add().double = value;
    return this;
  }

  bool(value: bool): this {
    this.add().bool = value;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.add().bytes = value;
    return this;
  }

  list(value: Values): this {
    this.add().list = value.message();
    return this;
  }

  map(value: Attributes): this {
    this.add().map = value.message();
    return this;
  }

  /** As a list. */
  message(): List {
    const list = new List();
    list.values = this.items;
    return list;
  }

  private add(): Value {
    const value = new Value();
    this.items.push(value);
    return value;
  }
}
