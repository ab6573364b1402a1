/** What the transformations of functions do not take: a UsageError before anything is traced. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../src/index.ts'
import { messageOf } from './numbers.ts'

/** The editor refuses these calls; a program that was never checked makes them all the same. */
const loose = T as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

const f = (x: T.Tensor): T.Tensor => T.sum(T.square(x))
const x = T.tensor([1.5, -2])
const aFunction = 'hint: give a function of tensors, which is called once, to see what it computes'

const cases: readonly (readonly [name: string, args: readonly unknown[], text: string])[] = [
  ['vmap', [f, { inAxis: 0 }], "vmap: there is no option 'inAxis'\n  hint: it is called inAxes here"],
  ['vmap', [f, 0], 'vmap: 0 stands where a record of options is needed\n  hint: it knows inAxes and outAxes'],
  ['vmap', [x], `vmap: the first argument is a tensor, not a function\n  ${aFunction}`],
  ['grad', [f, 1], 'grad: 1 stands where a record of options is needed\n  hint: it knows argnums and hasAux'],
  ['grad', [f, { argnum: 1 }], "grad: there is no option 'argnum'\n  hint: it is called argnums here"],
  ['grad', [f(x)], `grad: the first argument is a tensor, not a function\n  ${aFunction}`],
  [
    'valueAndGrad',
    [f, { has_aux: true }],
    "valueAndGrad: there is no option 'has_aux'\n  hint: it is called hasAux here",
  ],
  [
    'jacfwd',
    [f, [0]],
    'jacfwd: an array stands where a record of options is needed\n  hint: it knows argnums and hasAux',
  ],
  ['jacrev', [undefined], `jacrev: the first argument is undefined, not a function\n  ${aFunction}`],
  ['hessian', [f, { argNum: 0 }], "hessian: there is no option 'argNum'\n  hint: it is called argnums here"],
  ['jvp', [f, x, x], 'jvp takes an array of primals, not a tensor\n  hint: write jvp(f, [x], [t])'],
  ['hvp', [f, [x], x], 'hvp takes an array of tangents, not a tensor\n  hint: write hvp(f, [x], [t])'],
  ['vjp', [x, f], `vjp: the first argument is a tensor, not a function\n  ${aFunction}`],
  ['linearize', [{}], `linearize: the first argument is an object, not a function\n  ${aFunction}`],
  ['checkpoint', [f(x)], `checkpoint: the first argument is a tensor, not a function\n  ${aFunction}`],
  ['customJvp', [f], `customJvp: the rule is undefined, not a function\n  ${aFunction}`],
  ['customVjp', [f, f], `customVjp: backward is undefined, not a function\n  ${aFunction}`],
]

describe('what transformations do not take', () => {
  it.each(cases)('%s %#', (name, args, text) => {
    expect(messageOf(() => loose[name]!(...args))).toBe(`UsageError ${text}`)
  })

  it('argnums that are no numbers', () => {
    const text = messageOf(() => T.grad(f, { argnums: '0' as never })(x))
    expect(text.split('\n')[0]).toBe("UsageError grad: argnums is '0', neither a number nor an array of them")
  })

  it.each(['grad', 'valueAndGrad', 'jacfwd', 'jacrev', 'hessian'])('%s: an argument named twice', (name) => {
    const derivative = loose[name]!(f, { argnums: [1, 0, 1] }) as unknown as (...args: unknown[]) => unknown
    expect(messageOf(() => derivative(x, x))).toBe(
      `UsageError ${name}: argnums names argument 1 twice\n  hint: name each argument once: the derivative in it is the same both times`,
    )
  })
})
