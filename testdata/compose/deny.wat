;; Stands in the host's place: the level is 2, in an older version that still serves.
(component
  (core module $m (func (export "level") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (func $level (result u32) (canon lift (core func $i "level")))
  (instance $host (export "level" (func $level)))
  (export "fermyon:test/level@0.2.0" (instance $host)))
