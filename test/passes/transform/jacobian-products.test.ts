/** Products with Jacobians beside which more is handed out: hasAux. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../src/index.ts'
import { messageOf } from '../graph/numbers.ts'

type V = T.Tensor<readonly [2], 'f32'>
const x = T.tensor([1.5, -2])
const t = T.tensor([1, 0.5])
/** The value, and as aux what has no derivative, in a tree. */
const f = (v: V) => [{ y: T.square(v) }, { sign: T.greater(v, 0), list: [T.sum(v)] }] as const
const dataOf = (tree: unknown): readonly (readonly number[])[] =>
  T.flattenTree<T.HostTensor>(
    T.reference(tree as never),
    (h): h is T.HostTensor => typeof h === 'object' && h !== null && 'data' in h,
  ).leaves.map((h) => Array.from(h.data))

const value = [[2.25, 4]]
const tangent = [[3, -2]]
const aux = [[-0.5], [1, 0]]
const sorted = (rows: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  [...rows].sort((a, b) => a.length - b.length)

describe('hasAux', () => {
  it('of vjp', () => {
    const [y, pull, more] = T.vjp(f, x, { hasAux: true })
    expect([dataOf(y), dataOf(pull({ y: t })), sorted(dataOf(more))]).toEqual([value, tangent, aux])
    expect(dataOf(more.list[0]!)).toEqual([[-0.5]])
    expect(messageOf(() => pull({ y: T.tensor([1, 2, 3]) as never }))).toContain('vjp: the cotangent .y is i32[3]')
  })
  it('of jvp', () => {
    const [y, dy, more] = T.jvp(f, [x], [t], { hasAux: true })
    expect([dataOf(y.y), dataOf(dy.y), sorted(dataOf(more))]).toEqual([value, tangent, aux])
  })
  it('of linearize', () => {
    const [y, push, more] = T.linearize(f, x, { hasAux: true })
    expect([dataOf(y.y), dataOf(push(t).y), sorted(dataOf(more))]).toEqual([value, tangent, aux])
  })
  it('that is false, or no option', () => {
    const [y, pull, ...none] = T.vjp(T.square as never, x, { hasAux: false } as never) as unknown as readonly unknown[]
    expect([dataOf(y), dataOf((pull as (ct: T.Tensor) => unknown)(t)), none]).toEqual([value, tangent, []])
    expect(messageOf(() => T.jvp(T.square as never, [x], [t], { aux: true } as never))).toContain(
      "jvp: there is no option 'aux'",
    )
  })
  it('of a function that gives no pair', () => {
    const g = T.square as never
    for (const [name, run] of [
      ['vjp', () => T.vjp(g, x, { hasAux: true })],
      ['jvp', () => T.jvp(g, [x], [t], { hasAux: true })],
      ['linearize', () => T.linearize(g, x, { hasAux: true })],
    ] as const)
      expect(messageOf(run as () => unknown).split('\n')[0]).toBe(
        `UsageError ${name}: the function must return [value, aux]`,
      )
  })
  it('hands a mistake on', () => {
    const wrong = T.matmul(T.ones([2]), T.ones([3]) as never) as never as V
    expect(messageOf(() => T.reference(T.jvp(f, [wrong], [t], { hasAux: true })[2].list[0]!))).toContain('matmul')
    expect(messageOf(() => T.reference(T.vjp(f, wrong, { hasAux: true })[2].list[0]!))).toContain('matmul')
  })
})
