;; Exports both interfaces: answer is 40 and the host's level, more is 100.
(component
  (import "fermyon:test/level@0.2.1" (instance $host (export "level" (func (result u32)))))
  (core func $level (canon lower (func $host "level")))
  (core module $m
    (import "i" "level" (func $level (result i32)))
    (func (export "answer") (result i32) (i32.add (i32.const 40) (call $level)))
    (func (export "more") (result i32) (i32.const 100)))
  (core instance $i (instantiate $m (with "i" (instance (export "level" (func $level))))))
  (func $answer (result u32) (canon lift (core func $i "answer")))
  (func $more (result u32) (canon lift (core func $i "more")))
  (instance $api (export "answer" (func $answer)))
  (instance $extra (export "more" (func $more)))
  (export "acme:dep/api@1.0.0" (instance $api))
  (export "acme:dep/extra@1.0.0" (instance $extra)))
