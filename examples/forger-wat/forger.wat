;; A hostile guest, written by hand: it tries to forge lines of the log, to drive the terminal of whoever reads it, to break the log, and
;; to drown it. After each attack but the floods it writes a record, `answered 08: the name of the attack`, the code as two digits (0 is OK).
(module
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "release" (func $release (param i32) (result i32)))

  (memory (export "memory") 128)

  ;; Memory:
  ;;     0, 64, 128  the methods, zero behind each     4096  the attacks         24576  fields that are open
  ;;          65536  a request                     0x700000  a response
  (data (i32.const 0) "dropthrough.log.v1.LogService/Write")
  (data (i32.const 64) "dropthrough.log.v1.LogService/WriteBatch")
  (data (i32.const 128) "dropthrough.log.v1.LogService/Enabled")

  ;; The attacks. Each is: its name, 00, what is called, its request, ff. 00 ends the list.
  ;;
  ;; What is called: W Write, B WriteBatch, E Enabled; N bind, with the request as the name; P Write with a request, and R with a
  ;; response buffer, that does not lie in memory; M a method that was never bound.
  ;;
  ;; In a request, other bytes are themselves:
  ;;   f8 tag         opens a field, whose length is not known yet      f9  closes it; ff closes all
  ;;   fa count byte  so many of a byte, the count in two bytes          fe byte  the byte itself
  ;;   fb count       what follows up to fc, so many times
  ;;
  ;; WriteRequest and WriteBatchRequest: 0a record.   Attribute: 0a key, 12 value.   List: 0a value.   Map: 0a attribute.
  ;; Record: 08 level, 12 message, 1a time, 22 attribute, 2a error (0a type, 12 message, 1a stack).
  ;; Value: 0a string, 10 int, 19 double, 20 bool, 2a bytes, 32 list, 3a map.
  (data (i32.const 4096)
    ;; Lines.
    "line feeds and JSON\00W\f8\0a\08\03\f8\12x\0a{\22level\22:60,\22time\22:\222026-01-01T00:00:00.000Z\22,\22guest\22:\22root\22,\22msg\22:\22forged\22}\0d\0a\ff"
    "an end of the JSON\00W\f8\0a\08\03\f8\12\22,\22guest\22:\22root\22,\22x\22:\22\5c\22}\5c\ff"
    "line separators\00W\f8\0a\08\03\f8\12a\e2\80\a8b\e2\80\a9c\c2\85d\0be\0cf\ff"
    "escape sequences\00W\f8\0a\08\03\f8\12\1b[2J\1b[H\1b]52;c;cm0=\07\1b]0;root\1b\5c\c2\9b31m\08\7f\00\ff"
    "marks that reorder and hide\00W\f8\0a\08\03\f8\12\e2\80\aeroot\e2\80\ac \e2\81\a6x\e2\81\a9\ef\bb\bf\e2\80\8b\f3\a0\81\81\ff"
    "keys and values\00W\f8\0a\08\03\f8\22\f8\0a\0a\1b[2J\e2\80\a8\22:1}\f9\f8\12\f8\0a\0a{}\1b[2J\ff"
    "a stack\00W\f8\0a\08\06\f8\2a\f8\0a\1b[2J\0a\f9\f8\12\0a{}\0a\f9\f8\1aat a\0aat b\0d\0a{\22guest\22:\22root\22}\0a\1b[2J\ff"
    ;; Whoever it says that it is.
    "fields of the host\00W\f8\0a\08\03\f8\22\f8\0aguest\f9\f8\12\f8\0aroot\f9\f9\f9\f8\22\f8\0ainstance\f9\f8\12\10\63\f9\f9\f8\22\f8\0acall\f9\f8\12\10\63\f9\f9\f8\22\f8\0aparent\f9\f9\f8\22\f8\0aancestors\f9\f9\f8\22\f8\0atime\f9\f9\f8\22\f8\0alevel\f9\f8\12\10\3c\f9\f9\f8\22\f8\0amsg\f9\f9\f8\22\f8\0apid\f9\f9\f8\22\f8\0ahostname\f9\f9\f8\22\f8\0atraceId\f9\ff"
    "names that objects have\00W\f8\0a\08\03\f8\22\f8\0a__proto__\f9\f8\12\f8\3a\f8\0a\f8\0aguest\f9\f8\12\f8\0aroot\f9\f9\f9\f9\f9\f9\f8\22\f8\0atoJSON\f9\f8\12\f8\0aroot\f9\f9\f9\f8\22\f8\0aconstructor\f9\ff"
    "one key twice\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\20\01\f9\f9\f8\22\f8\0ak\f9\f8\12\20\00\ff"
    "fields that no record has\00W\f8\0a\08\03\f8\32root\f9\f8\3aroot\f9\f8\7aroot\f9\f9\f8\12root\f9\f8\1aroot\ff"
    "a record in two parts\00W\f8\0a\08\06\f8\12root\f9\f9\f8\0a\08\03\f8\12two\ff"
    "a time that no calendar has\00W\f8\0a\08\03\f8\1a\08\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\7f\10\fe\ff\fe\ff\fe\ff\fe\ff\0f\ff"
    "numbers that JSON has no word for\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\19\00\00\00\00\00\00\fe\f8\7f\f9\f9\f8\22\f8\0al\f9\f8\12\10\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\7f\ff"
    ;; What is no record.
    "no record\00W\ff"
    "no level\00W\f8\0a\f8\12x\ff"
    "level 7\00W\f8\0a\08\07\ff"
    "level -1\00W\f8\0a\08\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\fe\ff\01\ff"
    "whether level 0 is enabled\00E\ff"
    "whether level 99 is enabled\00E\08\63\ff"
    "an empty key\00W\f8\0a\08\03\f8\22\f8\12\20\01\ff"
    "text that is no UTF-8\00W\f8\0a\08\03\f8\12a\fe\ff\ff"
    "an overlong slash\00W\f8\0a\08\03\f8\12\c0\af\ff"
    "half of a surrogate pair\00W\f8\0a\08\03\f8\12\ed\a0\80\ff"
    "a key that is no UTF-8\00W\f8\0a\08\03\f8\22\f8\0a\fe\fe\ff"
    "a length beyond the end\00W\0a\7f\08\03\ff"
    "a varint without end\00W\0a\fa\14\00\80\ff"
    "an end of no group\00W\0c\ff"
    "a group in a group, 1,000 deep\00W\fb\e8\03\13\fc\ff"
    "a record that is a number\00W\08\03\ff"
    ;; Too much.
    "a message of 1,000,000\00W\f8\0a\08\03\f8\12\fb\64\00\fa\10\27x\fc\ff"
    "a message of escapes\00W\f8\0a\08\03\f8\12\fa\10\27\1b\f9\f8\2a\f8\1a\fa\10\27\1b\ff"
    "a message of quotes\00W\f8\0a\08\03\f8\12\fa\10\27\22\f9\f8\2a\f8\0a\fa\10\27\22\f9\f8\12\fa\10\27\5c\f9\f8\1a\fa\10\27\22\ff"
    "4,096 numbers of 24 digits\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\f8\32\fb\40\00\f8\0a\f8\32\fb\40\00\0a\09\19\01\02\03\04\05\06\07\81\fc\f9\f9\fc\ff"
    "a key of 10,000\00W\f8\0a\08\03\f8\22\f8\0a\fa\10\27k\ff"
    "bytes of 10,000\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\f8\2a\fa\10\27\00\ff"
    "65 attributes\00W\f8\0a\08\03\fb\41\00\f8\22\f8\0ak\f9\f9\fc\ff"
    "1,000,000 attributes\00W\f8\0a\08\03\fb\e8\03\fb\64\00\22\03\0a\01k\fc\fc\ff"
    "65 values in a list\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\f8\32\fb\41\00\0a\00\fc\ff"
    "262,144 values of 0 bytes\00W\f8\0a\08\03\fb\40\00\f8\22\f8\0ak\f9\f8\12\f8\32\fb\40\00\f8\0a\f8\32\fb\40\00\0a\00\fc\f9\f9\fc\f9\f9\f9\fc\ff"
    "a map in a map, all called self\00W\f8\0a\08\03\f8\22\f8\0aself\f9\f8\12\fb\07\00\f8\3a\f8\0a\f8\0aself\f9\f8\12\fc\ff"
    "the same, once more\00W\f8\0a\08\03\f8\22\f8\0aself\f9\f8\12\fb\08\00\f8\3a\f8\0a\f8\0aself\f9\f8\12\fc\ff"
    "a list 8 deep\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\fb\07\00\f8\32\f8\0a\fc\20\01\ff"
    "a list 9 deep\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\fb\08\00\f8\32\f8\0a\fc\20\01\ff"
    "a list 4,000 deep\00W\f8\0a\08\03\f8\22\f8\0ak\f9\f8\12\fb\a0\0f\f8\32\f8\0a\fc\20\01\ff"
    "1,025 records\00B\fb\01\04\0a\02\08\03\fc\ff"
    "1,000,000 records below the level\00B\fb\e8\03\fb\e8\03\0a\02\08\01\fc\fc\ff"
    "two records and one without a level\00B\f8\0a\08\03\f8\12one\f9\f9\f8\0a\08\03\f8\12two\f9\f9\f8\0a\f8\12three\ff"
    "a request above its limit\00W\f8\0a\08\03\f8\12\fb\64\00\fa\ff\ffx\fc\ff"
    ;; Through other doors.
    "a request outside of memory\00P\ff"
    "a response outside of memory\00R\0a\02\08\03\ff"
    "a method that was never bound\00M\ff"
    "a method that there is not\00Ndropthrough.log.v1.LogService/SetLevel\ff"
    "another service\00Ndropthrough.kernel.v1.KernelService/Register\ff"
    "a method that is no UTF-8\00Ndropthrough.log.v1.LogService/\fe\ff\ff"
    "\00")

  ;; Where the request goes on, how many fields of it are open.
  (global $at (mut i32) (i32.const 0))
  (global $open (mut i32) (i32.const 0))
  (global $write (mut i32) (i32.const 0))
  (global $batch (mut i32) (i32.const 0))
  (global $enabled (mut i32) (i32.const 0))

  (func $byte (param $b i32)
    (i32.store8 (global.get $at) (local.get $b))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))

  ;; How far it is from $from to the next zero.
  (func $length (param $from i32) (result i32)
    (local $to i32)
    (local.set $to (local.get $from))
    (loop $next
      (if (i32.load8_u (local.get $to))
        (then (local.set $to (i32.add (local.get $to) (i32.const 1))) (br $next))))
    (i32.sub (local.get $to) (local.get $from)))

  ;; Opens a field: its tag, and four bytes for its length.
  (func $begin (param $tag i32)
    (call $byte (local.get $tag))
    (i32.store (i32.add (i32.const 24576) (i32.shl (global.get $open) (i32.const 2))) (global.get $at))
    (global.set $open (i32.add (global.get $open) (i32.const 1)))
    (global.set $at (i32.add (global.get $at) (i32.const 4))))

  ;; Closes the field that was opened last: its length is a varint of four bytes, which protobuf allows for small ones too.
  (func $finish
    (local $start i32) (local $n i32)
    (global.set $open (i32.sub (global.get $open) (i32.const 1)))
    (local.set $start (i32.load (i32.add (i32.const 24576) (i32.shl (global.get $open) (i32.const 2)))))
    (local.set $n (i32.sub (global.get $at) (i32.add (local.get $start) (i32.const 4))))
    (i32.store8 (local.get $start) (i32.or (i32.const 128) (local.get $n)))
    (i32.store8 offset=1 (local.get $start) (i32.or (i32.const 128) (i32.shr_u (local.get $n) (i32.const 7))))
    (i32.store8 offset=2 (local.get $start) (i32.or (i32.const 128) (i32.shr_u (local.get $n) (i32.const 14))))
    (i32.store8 offset=3 (local.get $start) (i32.shr_u (local.get $n) (i32.const 21))))

  ;; Puts what the template at $from says behind the request, up to fc or ff; answers where the template goes on.
  (func $put (param $from i32) (result i32)
    (local $b i32) (local $count i32) (local $start i32)
    (loop $next
      (local.set $b (i32.load8_u (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (if (i32.eq (local.get $b) (i32.const 0xf8))
        (then
          (call $begin (i32.load8_u (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $next)))
      (if (i32.eq (local.get $b) (i32.const 0xf9)) (then (call $finish) (br $next)))
      (if (i32.eq (local.get $b) (i32.const 0xfa))
        (then
          (local.set $count (i32.load16_u (local.get $from)))
          (memory.fill (global.get $at) (i32.load8_u offset=2 (local.get $from)) (local.get $count))
          (global.set $at (i32.add (global.get $at) (local.get $count)))
          (local.set $from (i32.add (local.get $from) (i32.const 3)))
          (br $next)))
      (if (i32.eq (local.get $b) (i32.const 0xfb))
        (then
          (local.set $count (i32.load16_u (local.get $from)))
          (local.set $start (i32.add (local.get $from) (i32.const 2)))
          (loop $again
            (local.set $from (call $put (local.get $start)))
            (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
          (br $next)))
      (if (i32.eq (local.get $b) (i32.const 0xfe))
        (then
          (call $byte (i32.load8_u (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $next)))
      (if (i32.and (i32.ne (local.get $b) (i32.const 0xfc)) (i32.ne (local.get $b) (i32.const 0xff)))
        (then (call $byte (local.get $b)) (br $next))))
    (local.get $from))

  (func $finishAll
    (loop $next (if (global.get $open) (then (call $finish) (br $next)))))

  ;; Begins a request.
  (func $clear
    (global.set $at (i32.const 65536))
    (global.set $open (i32.const 0)))

  ;; Calls with the request; answers the code. No call of the log is ever pending.
  (func $code (param $method i32) (result i32)
    (call $codeOf (call $call (local.get $method)
      (i32.const 65536) (i32.sub (global.get $at) (i32.const 65536))
      (i32.const 0x700000) (i32.const 4096) (i32.const 0))))

  (func $codeOf (param $word i32) (result i32)
    (if (i32.ge_s (local.get $word) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $word (i32.xor (local.get $word) (i32.const -1)))
    (drop (call $release (i32.and (local.get $word) (i32.const 0xffffff))))
    (i32.shr_u (local.get $word) (i32.const 26)))

  ;; Makes the call that an attack is about.
  (func $attack (param $what i32) (result i32)
    (local $number i32)
    (if (i32.eq (local.get $what) (i32.const 0x42)) (then (return (call $code (global.get $batch)))))
    (if (i32.eq (local.get $what) (i32.const 0x45)) (then (return (call $code (global.get $enabled)))))
    (if (i32.eq (local.get $what) (i32.const 0x4d)) (then (return (call $code (i32.const 77)))))
    (if (i32.eq (local.get $what) (i32.const 0x4e))
      (then
        (local.set $number (call $bind (i32.const 65536) (i32.sub (global.get $at) (i32.const 65536))))
        (return (select (i32.const 0) (i32.sub (i32.const 0) (local.get $number)) (i32.ge_s (local.get $number) (i32.const 0))))))
    (if (i32.eq (local.get $what) (i32.const 0x50))
      (then (return (call $codeOf (call $call (global.get $write)
        (i32.const 0x7fffff) (i32.const 2) (i32.const 0x700000) (i32.const 4096) (i32.const 0))))))
    (if (i32.eq (local.get $what) (i32.const 0x52))
      (then (return (call $codeOf (call $call (global.get $write)
        (i32.const 65536) (i32.const 4) (i32.const -1) (i32.const 4096) (i32.const 0))))))
    (call $code (global.get $write)))

  ;; Begins a record of level info whose message is open.
  (func $record
    (call $clear)
    (call $begin (i32.const 0x0a))
    (call $byte (i32.const 0x08))
    (call $byte (i32.const 3))
    (call $begin (i32.const 0x12)))

  ;; Says what an attack was answered.
  (func $say (param $code i32) (param $name i32)
    (local $n i32)
    (call $record)
    (i64.store (global.get $at) (i64.const 0x64657265_77736e61)) ;; answered
    (global.set $at (i32.add (global.get $at) (i32.const 8)))
    (call $byte (i32.const 0x20))
    (call $byte (i32.add (i32.const 0x30) (i32.div_u (local.get $code) (i32.const 10))))
    (call $byte (i32.add (i32.const 0x30) (i32.rem_u (local.get $code) (i32.const 10))))
    (call $byte (i32.const 0x3a))
    (call $byte (i32.const 0x20))
    (local.set $n (call $length (local.get $name)))
    (memory.copy (global.get $at) (local.get $name) (local.get $n))
    (global.set $at (i32.add (global.get $at) (local.get $n)))
    (call $finishAll)
    (if (call $code (global.get $write)) (then unreachable)))

  ;; Writes a record with a message of $size over and over. Each has to be OK: what is too much is counted, and no business of the guest.
  (func $flood (param $size i32) (param $times i32)
    (call $record)
    (memory.fill (global.get $at) (i32.const 0x78) (local.get $size))
    (global.set $at (i32.add (global.get $at) (local.get $size)))
    (call $finishAll)
    (loop $next
      (if (call $code (global.get $write)) (then unreachable))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))

  (func (export "_start")
    (local $name i32) (local $from i32) (local $what i32)
    (global.set $write (call $bind (i32.const 0) (call $length (i32.const 0))))
    (global.set $batch (call $bind (i32.const 64) (call $length (i32.const 64))))
    (global.set $enabled (call $bind (i32.const 128) (call $length (i32.const 128))))
    (local.set $name (i32.const 4096))
    (loop $next
      (local.set $from (i32.add (local.get $name) (call $length (local.get $name))))
      (local.set $what (i32.load8_u offset=1 (local.get $from)))
      (call $clear)
      (local.set $from (call $put (i32.add (local.get $from) (i32.const 2))))
      (call $finishAll)
      (call $say (call $attack (local.get $what)) (local.get $name))
      (local.set $name (local.get $from))
      (br_if $next (i32.load8_u (local.get $name))))
    (call $flood (i32.const 1) (i32.const 20000))
    (call $flood (i32.const 16000) (i32.const 300)))
)
