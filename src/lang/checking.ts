/** Checks for numbers that are not finite where nobody wrote one: results and gradients, of programs compiled with `checkNumerics`. */
import * as E from '#fp/Either'
import { build, typeOf } from './build.ts'
import { isFloat } from './dtype.ts'
import type { Node } from './ir.ts'

let isOn = false

/** `f` while what is made is checked, or is not. */
export const withChecks = <A>(on: boolean, f: () => A): A => {
  const before = isOn
  isOn = on
  try {
    return f()
  } finally {
    isOn = before
  }
}

/** `n` with a check that names it and what made it, where there are checks; `place` gives the check its line. */
export const checkedAs = (name: string, n: Node, place: (check: Node, n: Node) => Node): Node => {
  if (!isOn || E.isLeft(n.type) || !isFloat(typeOf(n).dtype)) return n
  return place(build.observe([n], { kind: 'finite', label: `${name}, made by ${n.op}` }), n)
}
