;; A guest written by hand, from docs/ABI.md alone: it logs one line and ends.
(module
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 1)

  ;; 0: the method
  (data (i32.const 0) "dropthrough.log.v1.LogService/Write")

  ;; 64: dropthrough.log.v1.WriteRequest, 21 bytes
  ;;   0a 13           field 1 (record), 19 bytes:
  ;;     08 03           field 1 (level): 3, LEVEL_INFO
  ;;     12 0f           field 2 (message), 15 bytes:
  (data (i32.const 64) "\0a\13\08\03\12\0fhello, from WAT")

  (func (export "_start") (local $method i32) (local $word i32)
    (local.set $method (call $bind (i32.const 0) (i32.const 35)))
    ;; Below 0 it is minus a code. There is nothing that this guest could do without a log.
    (if (i32.lt_s (local.get $method) (i32.const 0)) (then unreachable))

    ;; The response is empty: no buffer is needed. Deadline: the host's.
    (local.set $word
      (call $call (local.get $method)
        (i32.const 64) (i32.const 21)
        (i32.const 0) (i32.const 0)
        (i32.const 0)))
    (if (i32.ne (local.get $word) (i32.const 0)) (then unreachable))))
