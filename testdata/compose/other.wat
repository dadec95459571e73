;; Exports a function under another name than main imports.
(component
  (core module $m (func (export "choose") (result i32) (i32.const 1000)))
  (core instance $i (instantiate $m))
  (func $choose (result u32) (canon lift (core func $i "choose")))
  (export "choose" (func $choose)))
