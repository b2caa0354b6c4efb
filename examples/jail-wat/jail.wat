;; A hostile guest, written by hand: it tries to get out of its mounts with every call that takes a path, and says on /report
;; what it was answered. A line is `code call path`, the code as a number (0 is OK), with `STOLEN` behind it if the answer held the secret.
(module
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "release" (func $release (param i32) (result i32)))

  (memory (export "memory") 4)

  ;; Memory:
  ;;        0  the service      64  what is stolen      128  numbers of the methods, by call
  ;;     1024  the calls       4096  the paths        16384  a long path
  ;;    32768  a request      65536  a response      131072  a line of the report
  (data (i32.const 0) "dropthrough.file.v1.FileService/")
  (data (i32.const 64) "SECRET")

  ;; The calls. Each is: its name, 01, what stands before the path in the request, 01, what stands behind it, 01. 02 ends the list.
  ;; Before the path is its tag as well: 0a for the first field, 12 for the second. `~` is a zero byte.
  (data (i32.const 1024)
    "Open\01\0a\01\10\03\01"             ;; read = 1 (03 is spelled 01 below: see $byte)
    "Open\01\0a\01\18\03\01"             ;; write
    "Open\01\0a\01\18\03\20\03\01"       ;; write, create
    "Open\01\0a\01\18\03\30\03\01"       ;; write, truncate
    "Stat\01\0a\01\01"
    "List\01\0a\01\01"
    "ReadFile\01\0a\01\01"
    "WriteFile\01\0a\01\12\04mine\01"
    "WriteFile\01\0a\01\12\04mine\18\03\01" ;; sync
    "MakeDirectory\01\0a\01\10\03\01"    ;; parents
    "Rename\01\0a\01\12\09/data/mov\01"  ;; from the path
    "Rename\01\0a\09/data/own\12\01\01"  ;; to the path
    "Copy\01\0a\01\12\0b/tmp/stolen\01"  ;; from the path
    "Copy\01\0a\08/tmp/own\12\01\01"     ;; to the path
    "Watch\01\0a\01\10\03\01"            ;; recursive
    "Remove\01\0a\01\10\03\01"           ;; recursive
    "\02")

  ;; The paths. 01 ends each, 02 the list. `~` is a zero byte, `^` is ff, which is no UTF-8.
  (data (i32.const 4096)
    "/data/..\01" "/data/../\01" "/data/../outside/secret\01" "/data/sub/../../outside/secret\01"
    "/data/none/../../outside/secret\01" "/data/./sub/./../.././outside\01"
    "/etc/passwd\01" "/\01" "/../etc/passwd\01" "//etc/passwd\01" "/data//etc/passwd\01"
    "\01" ".\01" "..\01" "../outside/secret\01" "data/a.txt\01"
    "/data/~/../outside/secret\01" "/data/a.txt~\01" "/data/^\01" "/^/etc/passwd\01"
    "/data/a.txt/\01" "/data/a.txt/../../outside/secret\01" "/data/link/\01"
    "/data/up/outside/secret\01" "/data/upslash/outside/secret\01" "/data/folder/secret\01" "/data/detour/secret\01"
    "/data/file\01" "/data/file/\01" "/data/chain\01" "/data/loop\01" "/data/dangling\01"
    "/data/a/link1\01" "/data/a/link1/\01" "/data/a/link1/secret\01"
    "/data/etc/passwd\01" "/data/root/etc/passwd\01" "/data/fd/0\01" "/data/cwd/package.json\01"
    "/data/fifo\01" "/data/fifo/x\01"
    "/proc/self/fd/0\01" "/proc/self/root/etc/passwd\01" "/dev/fd/0\01"
    "/data/\ef\bc\8e\ef\bc\8e/outside/secret\01" "/DATA/a.txt\01" "/data/A.TXT/x\01"
    "/data/..\5coutside\5csecret/x\01" "/data/C:x/x\01" "/data/CON/x\01"
    "/data/\5c\5c?\5cC:\5cx/x\01" "/data/a.txt::$DATA/x\01" "/data/a.txt./x\01" "/data/a.txt /x\01"
    "/data/\e2\80\a5/outside/secret\01" "/data/..\e2\88\95outside/secret\01"
    "\02")

  (global $line (mut i32) (i32.const 131072))

  ;; A byte of the lists as it is meant.
  (func $byte (param $b i32) (result i32)
    (if (i32.eq (local.get $b) (i32.const 0x7e)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $b) (i32.const 0x5e)) (then (return (i32.const 0xff))))
    (if (i32.eq (local.get $b) (i32.const 3)) (then (return (i32.const 1))))
    (local.get $b))

  ;; Where the text at $from ends: at the next 01.
  (func $end (param $from i32) (result i32)
    (loop $next
      (if (i32.ne (i32.load8_u (local.get $from)) (i32.const 1))
        (then (local.set $from (i32.add (local.get $from) (i32.const 1))) (br $next))))
    (local.get $from))

  ;; Copies the text at $from to $to, answers where it ends there.
  (func $copy (param $from i32) (param $to i32) (result i32)
    (local $last i32)
    (local.set $last (call $end (local.get $from)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $last)))
        (i32.store8 (local.get $to) (call $byte (i32.load8_u (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (br $next)))
    (local.get $to))

  ;; A length as a varint of two bytes, which protobuf allows for small ones too.
  (func $length (param $n i32) (param $to i32) (result i32)
    (i32.store8 (local.get $to) (i32.or (i32.and (local.get $n) (i32.const 127)) (i32.const 128)))
    (i32.store8 offset=1 (local.get $to) (i32.shr_u (local.get $n) (i32.const 7)))
    (i32.add (local.get $to) (i32.const 2)))

  ;; The number of the method whose name stands at $name.
  (func $method (param $name i32) (result i32)
    (local $to i32)
    (memory.copy (i32.const 32768) (i32.const 0) (i32.const 32))
    (local.set $to (call $copy (local.get $name) (i32.const 32800)))
    (call $bind (i32.const 32768) (i32.sub (local.get $to) (i32.const 32768))))

  ;; Makes a call with the request in [32768, $to) and waits for its answer at 65536: its length, or minus a code.
  (func $answer (param $method i32) (param $to i32) (result i32)
    (local $word i32) (local $state i32) (local $number i32) (local $code i32)
    (local.set $word (call $call (local.get $method)
      (i32.const 32768) (i32.sub (local.get $to) (i32.const 32768))
      (i32.const 65536) (i32.const 65536) (i32.const 0)))
    (loop $again
      (if (i32.ge_s (local.get $word) (i32.const 0)) (then (return (local.get $word))))
      (local.set $word (i32.xor (local.get $word) (i32.const -1)))
      (local.set $number (i32.and (local.get $word) (i32.const 0xffffff)))
      (local.set $state (i32.and (i32.shr_u (local.get $word) (i32.const 24)) (i32.const 3)))
      (local.set $code (i32.shr_u (local.get $word) (i32.const 26)))
      (if (i32.eq (local.get $state) (i32.const 2))
        (then
          (local.set $word (call $wait (local.get $number) (i32.const 65536) (i32.const 65536)))
          (br $again))))
    ;; Parked: its Status, or a response that did not fit, is looked through as well.
    (drop (call $read (local.get $number) (i32.const 0) (i32.const 65536) (i32.const 65536)))
    (drop (call $release (local.get $number)))
    (i32.sub (i32.const 0) (local.get $code)))

  ;; Whether the secret stands anywhere in the response buffer; and clears that.
  (func $stolen (result i32)
    (local $at i32) (local $found i32)
    (local.set $at (i32.const 65536))
    (loop $next
      (if (i32.and
            (i32.eq (i32.load (local.get $at)) (i32.load (i32.const 64)))
            (i32.eq (i32.load16_u offset=4 (local.get $at)) (i32.load16_u offset=4 (i32.const 64))))
        (then (local.set $found (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 66560))))
    (memory.fill (i32.const 65536) (i32.const 0) (i32.const 1040))
    (local.get $found))

  ;; Reads from the file that Open has just answered, into the response buffer, and closes it.
  (func $take
    (local $to i32) (local $from i32)
    ;; OpenResponse begins with 08 and the handle, ReadRequest and CloseRequest too: the bytes are copied as they are.
    (local.set $from (i32.const 65536))
    (local.set $to (i32.const 32768))
    (loop $next
      (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $next (i32.ge_u (i32.load8_u (i32.sub (local.get $from) (i32.const 1))) (i32.const 128)))
      (br_if $next (i32.eq (local.get $to) (i32.const 32769))))
    (drop (call $answer (i32.load (i32.const 192)) (local.get $to)))
    (drop (call $close (local.get $to))))

  ;; Closes the file whose handle stands in [32768, $to), and leaves the response buffer as it is.
  (func $close (param $to i32) (result i32)
    (call $call (i32.load (i32.const 196)) (i32.const 32768) (i32.sub (local.get $to) (i32.const 32768))
      (i32.const 0) (i32.const 0) (i32.const 0)))

  ;; ---- the report

  (func $put (param $b i32)
    (i32.store8 (global.get $line) (select (local.get $b) (i32.const 63) (i32.and (i32.ge_u (local.get $b) (i32.const 32)) (i32.lt_u (local.get $b) (i32.const 127)))))
    (global.set $line (i32.add (global.get $line) (i32.const 1))))

  (func $text (param $from i32)
    (local $last i32)
    (local.set $last (call $end (local.get $from)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $last)))
        (call $put (i32.load8_u (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next))))

  (func $number (param $n i32)
    (if (i32.ge_u (local.get $n) (i32.const 10)) (then (call $number (i32.div_u (local.get $n) (i32.const 10)))))
    (call $put (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))

  ;; Writes the line to /report, whose handle is 1.
  (func $say
    (local $to i32) (local $size i32)
    (i32.store8 (global.get $line) (i32.const 10))
    (global.set $line (i32.add (global.get $line) (i32.const 1)))
    (local.set $size (i32.sub (global.get $line) (i32.const 131072)))
    (i32.store (i32.const 32768) (i32.const 0x120108)) ;; 08 01: handle 1; 12: data
    (local.set $to (call $length (local.get $size) (i32.const 32771)))
    (memory.copy (local.get $to) (i32.const 131072) (local.get $size))
    (drop (call $answer (i32.load (i32.const 200)) (i32.add (local.get $to) (local.get $size))))
    (memory.fill (i32.const 65536) (i32.const 0) (i32.const 1040))
    (global.set $line (i32.const 131072)))

  ;; ---- the attacks

  ;; One call with one path: its request is what stands before, the length, the path, what stands behind.
  (func $try (param $which i32) (param $list i32) (param $path i32)
    (local $to i32) (local $start i32) (local $before i32) (local $result i32)
    (local.set $before (i32.add (call $end (local.get $list)) (i32.const 1)))
    (local.set $to (call $copy (local.get $before) (i32.const 32768)))
    (local.set $start (i32.add (local.get $to) (i32.const 2)))
    (local.set $start (call $copy (local.get $path) (local.get $start)))
    (drop (call $length (i32.sub (local.get $start) (i32.add (local.get $to) (i32.const 2))) (local.get $to)))
    (local.set $to (call $copy (i32.add (call $end (local.get $before)) (i32.const 1)) (local.get $start)))
    (local.set $result (call $answer (i32.load (i32.add (i32.const 128) (i32.mul (local.get $which) (i32.const 4)))) (local.get $to)))
    (if (i32.and (i32.lt_u (local.get $which) (i32.const 4)) (i32.ge_s (local.get $result) (i32.const 0))) (then (call $take)))
    (call $number (select (i32.const 0) (i32.sub (i32.const 0) (local.get $result)) (i32.ge_s (local.get $result) (i32.const 0))))
    (call $put (i32.const 32))
    (call $text (local.get $list))
    (call $put (i32.const 32))
    (call $text (local.get $path))
    (if (call $stolen) (then
      (call $put (i32.const 32))
      (memory.copy (global.get $line) (i32.const 64) (i32.const 6))
      (global.set $line (i32.add (global.get $line) (i32.const 6)))))
    (call $say))

  ;; The list entry behind the one at $list: three texts on.
  (func $next (param $list i32) (result i32)
    (local.set $list (i32.add (call $end (local.get $list)) (i32.const 1)))
    (local.set $list (i32.add (call $end (local.get $list)) (i32.const 1)))
    (i32.add (call $end (local.get $list)) (i32.const 1)))

  ;; Every call with one path.
  (func $all (param $path i32)
    (local $which i32) (local $list i32)
    (memory.copy (i32.const 32768) (i32.const 3072) (i32.const 15))
    (drop (call $answer (i32.load (i32.const 156)) (i32.const 32783)))
    (memory.copy (i32.const 32768) (i32.const 3087) (i32.const 16))
    (drop (call $answer (i32.load (i32.const 156)) (i32.const 32784)))
    (local.set $list (i32.const 1024))
    (loop $next
      (call $try (local.get $which) (local.get $list) (local.get $path))
      (local.set $which (i32.add (local.get $which) (i32.const 1)))
      (local.set $list (call $next (local.get $list)))
      (br_if $next (i32.ne (i32.load8_u (local.get $list)) (i32.const 2)))))

  ;; WriteFileRequests for what is copied and renamed to a path: { path, data: "own" }
  (data (i32.const 3072) "\0a\08/tmp/own\12\03own" "\0a\09/data/own\12\03own")
  (data (i32.const 2048) "Read\01Close\01Write\01/report\01/data/run/secret\01opened, of 20000: \01 stolen: \01")

  (func (export "_start")
    (local $which i32) (local $list i32) (local $path i32) (local $to i32) (local $opened i32) (local $lost i32)
    (local.set $list (i32.const 1024))
    (loop $next
      (i32.store (i32.add (i32.const 128) (i32.mul (local.get $which) (i32.const 4))) (call $method (local.get $list)))
      (local.set $which (i32.add (local.get $which) (i32.const 1)))
      (local.set $list (call $next (local.get $list)))
      (br_if $next (i32.ne (i32.load8_u (local.get $list)) (i32.const 2))))
    (i32.store (i32.const 192) (call $method (i32.const 2048)))
    (i32.store (i32.const 196) (call $method (i32.const 2053)))
    (i32.store (i32.const 200) (call $method (i32.const 2059)))

    ;; The report: OpenRequest { path: "/report", write: true }; it gets handle 1.
    (i32.store8 (i32.const 32768) (i32.const 0x0a))
    (local.set $to (call $copy (i32.const 2065) (call $length (i32.const 7) (i32.const 32769))))
    (i32.store16 (local.get $to) (i32.const 0x0118))
    (drop (call $answer (i32.load (i32.const 128)) (i32.add (local.get $to) (i32.const 2))))

    (local.set $path (i32.const 4096))
    (loop $next
      (call $all (local.get $path))
      (local.set $path (i32.add (call $end (local.get $path)) (i32.const 1)))
      (br_if $next (i32.ne (i32.load8_u (local.get $path)) (i32.const 2))))

    ;; A name that is too long, and a path that is too long.
    (memory.copy (i32.const 16384) (i32.const 2073) (i32.const 6)) ;; /data/
    (memory.fill (i32.const 16390) (i32.const 0x78) (i32.const 256))
    (i32.store8 (i32.const 16646) (i32.const 1))
    (call $all (i32.const 16384))
    (local.set $which (i32.const 0))
    (loop $next
      (i32.store16 (i32.add (i32.const 16390) (local.get $which)) (i32.const 0x2f78)) ;; x/
      (local.set $which (i32.add (local.get $which) (i32.const 2)))
      (br_if $next (i32.lt_u (local.get $which) (i32.const 4100))))
    (i32.store8 (i32.const 20490) (i32.const 1))
    (call $all (i32.const 16384))

    ;; The race: /data/run is swapped for a link to the outside while this opens /data/run/secret, 20,000 times.
    (local.set $which (i32.const 0))
    (loop $next
      (i32.store8 (i32.const 32768) (i32.const 0x0a))
      (local.set $to (call $copy (i32.const 2073) (call $length (i32.const 16) (i32.const 32769))))
      (i32.store16 (local.get $to) (i32.const 0x0110))
      (if (i32.ge_s (call $answer (i32.load (i32.const 128)) (i32.add (local.get $to) (i32.const 2))) (i32.const 0))
        (then (call $take) (local.set $opened (i32.add (local.get $opened) (i32.const 1)))))
      (local.set $lost (i32.add (local.get $lost) (call $stolen)))
      (local.set $which (i32.add (local.get $which) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $which) (i32.const 20000))))
    (call $text (i32.const 2090))
    (call $number (local.get $opened))
    (call $text (i32.const 2109))
    (call $number (local.get $lost))
    (call $say))
)
