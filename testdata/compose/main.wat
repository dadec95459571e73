;; Imports two interfaces of one package and a function; run adds up what they say.
(component
  (import "acme:dep/api@1.0.0" (instance $api (export "answer" (func (result u32)))))
  (import "acme:dep/extra@1.0.0" (instance $extra (export "more" (func (result u32)))))
  (import "pick" (func $pick (result u32)))
  (core func $answer (canon lower (func $api "answer")))
  (core func $more (canon lower (func $extra "more")))
  (core func $picked (canon lower (func $pick)))
  (core module $m
    (import "i" "answer" (func $answer (result i32)))
    (import "i" "more" (func $more (result i32)))
    (import "i" "pick" (func $pick (result i32)))
    (func (export "run") (result i32)
      (i32.add (call $answer) (i32.add (call $more) (call $pick)))))
  (core instance $i (instantiate $m (with "i" (instance
    (export "answer" (func $answer)) (export "more" (func $more)) (export "pick" (func $picked))))))
  (func $run (result u32) (canon lift (core func $i "run")))
  (export "run" (func $run)))
