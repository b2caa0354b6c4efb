import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { checkThreshold, type Threshold } from "./level.ts";

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;
/** A named pipe is not waited for. */
const FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY;
/** Milliseconds between two looks at the file. */
const LOOK_MS = 1_000;
/** Bytes of a file of levels; nobody writes more by hand. */
const MOST_BYTES = 1024 * 1024;

/** Which records are written, by their level. */
export interface Levels {
  /** The least level that is written. Default `info`. */
  readonly level?: Threshold;
  /** The same for single guests, by name. */
  readonly levels?: Readonly<Record<string, Threshold>>;
}

/**
 * Checks what an operator wrote, which no compiler sees if it comes from a file.
 *
 * @throws TypeError if one is no level
 */
export function checkLevels({ level = "info", levels = {} }: Levels, where = ""): void {
  checkThreshold(level, `${where}level`);
  for (const [guest, own] of Object.entries(levels))
    checkThreshold(own, `${where}levels["${guest}"]`);
}

/**
 * A file of levels, which the operator may write, change and remove while the host runs:
 * `{ "level": "warn", "levels": { "words.facade": "debug" } }`, either of which may be left out.
 */
export class LevelsFile {
  readonly #path: string;
  #text: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What it says now; nothing if it is not there.
   *
   * @throws TypeError if it does not hold levels; Error of node:fs if it is there and cannot be read
   */
  read(): Levels {
    let fd: number | undefined;
    try {
      fd = openSync(this.#path, FLAGS);
      this.#check(fstatSync(fd));
      this.#text = readFileSync(fd, "utf8");
    } catch (error) {
      this.#text = absent(error as NodeJS.ErrnoException);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    return this.#parse();
  }

  /** The same behind the host's back. */
  async #look(): Promise<string | undefined> {
    try {
      await using file = await open(this.#path, FLAGS);
      this.#check(await file.stat());
      return await file.readFile("utf8");
    } catch (error) {
      return absent(error as NodeJS.ErrnoException);
    }
  }

  /** What is no file may have no end, or hold up whoever reads it. */
  #check(stats: Stats): void {
    if (!stats.isFile()) throw new TypeError(`${this.#path} is no file`);
    if (stats.size > MOST_BYTES)
      throw new TypeError(
        `${this.#path} has ${stats.size} bytes: levels take ${MOST_BYTES} at most`,
      );
  }

  /** Calls `changed` within a second or so of every change, or `refused` with a sentence, once, if there are no levels in it. */
  watch(changed: (levels: Levels) => void, refused: (message: string) => void): void {
    let trouble: string | undefined;
    const look = async (): Promise<void> => {
      try {
        const text = await this.#look();
        if (this.#timer === undefined || (text === this.#text && trouble === undefined)) return;
        this.#text = text;
        changed(this.#parse());
        trouble = undefined;
      } catch (error) {
        const { message } = error as Error;
        if (this.#timer !== undefined && message !== trouble) refused(message);
        trouble = message;
      } finally {
        this.#timer?.refresh();
      }
    };
    this.#timer = setTimeout(() => void look(), LOOK_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #parse(): Levels {
    if (this.#text === undefined) return {};
    let found: unknown;
    try {
      found = JSON.parse(this.#text);
    } catch (cause) {
      throw new TypeError(`${this.#path} is no JSON`, { cause });
    }
    if (!isObject(found)) throw new TypeError(`${this.#path} is no object`);
    const { level: _, levels = {}, ...others } = found;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      throw new TypeError(`${this.#path} has "${unknown}": write level and levels`);
    if (!isObject(levels)) throw new TypeError(`${this.#path}: levels is no object`);
    checkLevels(found, `${this.#path}: `);
    return found;
  }
}

/** Nothing, for a file that is not there; throws any other error. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
