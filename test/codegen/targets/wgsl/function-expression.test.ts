/** Expressions of functions as text: parentheses where the grammar or the order of operations needs them. */
import { expect, test } from 'vitest'
import { apply as applied, native } from '../../../../codegen/kernel/build-function.ts'
import * as k from '../../../../codegen/kernel/build-kernel.ts'
import * as op from '../../../../codegen/kernel/functions/operators.ts'
import { kernelFunction } from '../../../../codegen/kernel/functions/table.ts'
import { compiledFunction } from '../../../../codegen/kernel/interp/run-function.ts'
import type { KExpr, KFunction, KStmt } from '../../../../codegen/kernel/kernel.ts'
import { printFunction } from '../../../../codegen/targets/wgsl/print-function.ts'
import { apply } from '../../kernel/elementwise.ts'
import { randomWords } from '../../kernel/sweep.ts'

const [x, y] = [k.ref('x', k.kType('f32', 4)), k.ref('y', k.kType('f32', 4))]
const u = k.ref('u')

const made = (results: readonly KExpr[], body: readonly KStmt[] = []): KFunction => ({
  name: 'f',
  params: [x, y, u].map((p) => ({ name: p.kind === 'ref' ? p.name : '', type: p.type })),
  body,
  results,
})
const returned = (e: KExpr): string | undefined =>
  /return (.*);/.exec(printFunction(made([e]), (f) => `tl_${f.name}`))?.[1]

test.each<readonly [string, KExpr]>([
  ['x - (y - 1.0f)', op.sub(x, op.sub(y, 1))],
  ['x - y - 1.0f', op.sub(x, y, 1)],
  ['x * (y + 1.0f) / y', op.div(op.mul(x, op.add(y, 1)), y)],
  ['x * (y / x)', op.mul(x, op.div(y, x))],
  ['-(-x)', op.neg(op.neg(x))],
  ['(-x).y', k.lane(op.neg(x), 1)],
  ['clamp(x, vec4<f32>(-1.0f), vec4<f32>(2.0f))', op.clamp(x, -1, 2)],
  ['select(y, x, x < y)', op.select(op.lt(x, y), x, y)],
  ['select((x > y), !(x < y), x == y)', op.select(op.eq(x, y), op.not(op.lt(x, y)), op.gt(x, y))],
  ['(u & 0xffu & u) | u', op.or(op.and(u, 255, u), u)],
  ['(u << 3u) + 1u < 0x20u', op.lt(op.add(op.shiftLeft(u, 3), 1), 32)],
  ['u > 5u', op.gt(u, 5)],
  ['u != 5u', op.ne(u, 5)],
  ['~u >> (u & 0x1fu)', op.shiftRight(op.not(u), op.and(u, 31))],
  ['tl_mulHigh(u, u ^ u)', applied(kernelFunction('mulHigh', 1), [u, op.xor(u, u)])],
])('%s', (text, e) => {
  expect(returned(e)).toBe(text)
})

test('a call with several results is made once', () => {
  const angle = [x]
  const [r, q] = [0, 1].map((i) => applied(kernelFunction('angle', 4), angle, i))
  const body = [k.letStmt('a', native('mul', r!, r!)), k.letStmt('b', op.toFloat(q!))]
  expect(
    printFunction(made([k.ref('a', x.type), k.ref('b', x.type)], body), (f) => `tl_${f.name}`),
  ).toMatchInlineSnapshot(`
    "struct tl_F { a: vec4<f32>, b: vec4<f32> }
    fn tl_f(x: vec4<f32>, y: vec4<f32>, u: u32) -> tl_F {
      let call0 = tl_angle_4(x);
      let a = call0.r * call0.r;
      let b = vec4<f32>(call0.q);
      return tl_F(a, b);
    }
    "
  `)
})

/** A random expression of words, of `depth` operations at most inside one another. */
const tree = (next: () => number, leaves: readonly KExpr[], depth: number): KExpr => {
  const inner = (): KExpr => tree(next, leaves, depth - 1)
  if (depth === 0 || next() % 5 === 0) return leaves[next() % leaves.length]!
  const test = (): KExpr => [op.lt, op.ge, op.eq, op.ne, op.gt][next() % 5]!(inner(), inner())
  const forms: readonly (() => KExpr)[] = [
    () => op.add(inner(), inner()),
    () => op.sub(inner(), inner()),
    () => op.mul(inner(), inner()),
    () => op.and(inner(), inner()),
    () => op.or(inner(), inner()),
    () => op.xor(inner(), inner()),
    () => op.not(inner()),
    () => op.bitsOf(op.neg(op.intOf(inner()))),
    () => op.max(inner(), inner()),
    () => op.shiftLeft(inner(), op.and(inner(), 31)),
    () => op.shiftRight(inner(), next() % 32),
    () => op.select(op.and(test(), op.or(test(), op.not(test()))), inner(), inner()),
    () => op.bitsOf(op.sub(op.intOf(inner()), op.shiftRight(op.intOf(inner()), op.and(op.intOf(inner()), 7)))),
  ]
  return forms[next() % forms.length]!()
}

test('random expressions give on the device what they give in the interpreter', async () => {
  const seed = 17
  const next = randomWords(seed)
  const inputs = ['a', 'b', 'c'].map(() => ({ scalar: 'u32' as const, words: Uint32Array.from({ length: 256 }, next) }))
  const functions = Array.from({ length: 48 }, (_, i): KFunction => {
    const params = ['a', 'b', 'c'].map((name) => ({ name, type: k.kType('u32') }))
    // No operation on constants alone, which compilers evaluate and may refuse: nor is there one in functions.
    const leaves = [...params.map((p) => k.ref(p.name)), op.sub(k.ref('a'), next() % 40), op.xor(next(), k.ref('b'))]
    return { name: `random${i}`, params, body: [], results: [k.add(tree(next, leaves, 5), k.ref('a'))] }
  })
  const columns = functions.map((f) => ({ name: f.name, of: (xs: readonly KExpr[]) => applied(f, xs) }))
  const got = await apply(columns, inputs, 1, 48)
  for (const f of functions) {
    const run = compiledFunction(f)
    const wants = inputs[0]!.words.map((_, i) => run(inputs.map(({ words }) => words[i]!))[0]![0]!)
    expect(got.get(f.name), `seed ${seed}: ${printFunction(f, (g) => g.name)}`).toEqual(wants)
  }
})
