// The six imports of the ABI. AssemblyScript names an import's module after the file that declares
// it, so this file is called as the import module is. All pointers are byte offsets in `memory`, all
// lengths are bytes, all times milliseconds.

/** The number of the method `package.Service/Method`, or minus a Code. */
export declare function bind(name: usize, length: i32): i32;

/** Starts a call and answers its result word; never suspends. */
export declare function call(
  method: i32,
  request: usize,
  length: i32,
  response: usize,
  capacity: i32,
  timeoutMs: i32,
): i32;

/** Waits for a pending call and answers its result word; the only import that may suspend. */
export declare function wait(call: i32, response: usize, capacity: i32): i32;

/** Copies from a parked body or an incoming request; answers its whole length, or minus a Code. */
export declare function read(call: i32, offset: i32, to: usize, length: i32): i32;

/** Answers an incoming call; 0, or minus a Code. */
export declare function reply(call: i32, code: i32, body: usize, length: i32): i32;

/** Frees a parked body or cancels a pending call; 0, or minus a Code. */
export declare function release(call: i32): i32;
