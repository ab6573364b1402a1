/** States in variables: carried from level to level of a tree, to the bits that the same tree has in JavaScript. */
import { describe, expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { KStmt } from '../../../codegen/kernel/kernel.ts'
import { type Kind, type StateEmitter, stateEmitter } from '../../../codegen/kernel/states.ts'
import { heightOf, type StateMonoid, stateMonoids } from '../../../src/lang/monoids.ts'
import { randomWords } from './sweep.ts'

const x = { name: 'x', element: k.kType('f32'), access: 'read' } as const
const y = { name: 'y', element: k.kType('f32'), access: 'read_write' } as const

/** The first result of a body over `data`. */
const run = (
  data: Float32Array,
  fill: (states: StateEmitter, push: (s: KStmt) => void, name: (p: string) => string) => void,
): number => {
  const stack: KStmt[][] = [[]]
  let names = 0
  const name = (p: string): string => `${p}${names++}`
  const push = (s: KStmt): void => void stack.at(-1)!.push(s)
  const inScope = (body: () => void): readonly KStmt[] => {
    stack.push([])
    body()
    return stack.pop()!
  }
  fill(stateEmitter(name, push, inScope), push, name)
  const out = new Float32Array(1)
  const kernel = { name: 'states', workgroupSize: 1, bindings: [x, y], arrays: [], body: stack[0]! }
  runKernel(kernel, 1, [{ buffer: data.buffer as ArrayBuffer }, { buffer: out.buffer as ArrayBuffer }])
  return out[0]!
}

const kindOf = (monoid: StateMonoid): Kind => ({ row: stateMonoids[monoid], dtype: 'f32', width: 1 })

/** A tree over elements one by one, each a run of its own: straight line, so that numbers of elements are constants. */
const tree = (data: Float32Array, monoid: StateMonoid, unit: number): number =>
  run(data, (states, push) => {
    const kind = kindOf(monoid)
    const levels = Array.from({ length: 1 + heightOf(Math.ceil(data.length / (4 * unit))) }, () => states.begin(kind))
    for (let i = 0; i < data.length; i++) {
      states.assign(levels[0]!, states.merge(kind, levels[0]!, states.lift(kind, k.load(x, k.u32(i)))))
      states.carry([{ kind, levels }], k.add(k.u32(i), k.u32(0)), unit)
    }
    push(k.store(y, k.u32(0), states.finish(kind, states.total({ kind, levels }))[0]!))
  })

const treeSum = (data: Float32Array, unit: number): number => {
  const grouped = (xs: readonly number[], by: number): readonly number[] => {
    const out: number[] = []
    for (let i = 0; i < xs.length; i += by) out.push(xs.slice(i, i + by).reduce((a, b) => Math.fround(a + b), -0))
    return out
  }
  let level = grouped([...data], 4 * unit)
  while (level.length > 1) level = grouped(level, 4)
  return level[0]!
}

describe('levels', () => {
  const next = randomWords(3)
  const data = Float32Array.from({ length: 300 }, () => next() / 2 ** 32 + 1e-3)
  it.each([1, 2])('of a sum, runs of 4 times %i', (unit) => {
    for (const n of [1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257, 300])
      expect(tree(data.slice(0, n), 'sum', unit), `${n}`).toBe(treeSum(data.slice(0, n), unit))
  })
  it('of other monoids', () => {
    const part = data.slice(0, 90)
    expect(tree(part, 'max', 1)).toBe(Math.max(...part))
    const product = part.slice(0, 20).reduce((a, b) => a * b, 1)
    expect(tree(part.slice(0, 20), 'prod', 1) / product).toBeCloseTo(1, 5)
    const mean = part.reduce((a, b) => a + b, 0) / 90
    expect(tree(part, 'moments', 1)).toBeCloseTo(part.reduce((a, b) => a + (b - mean) ** 2, 0) / 90, 6)
  })
})

describe('variables', () => {
  const data = Float32Array.of(3, 5, 7)
  it('begin and begin again with the identity', () => {
    const value = run(data, (states, push) => {
      const kind = kindOf('min')
      const state = states.begin(kind)
      states.assign(state, states.merge(kind, state, states.lift(kind, k.load(x, k.u32(0)))))
      states.reset(kind, state)
      states.assign(state, states.merge(kind, state, states.lift(kind, k.load(x, k.u32(2)))))
      push(k.store(y, k.u32(0), state[0]!))
    })
    expect(value).toBe(7)
  })
  it('take all components of the next state at once', () => {
    const value = run(data, (states, push) => {
      const kind = kindOf('argmax')
      const [value, at] = states.begin(kind)
      const swapped = [k.cast(at!, 'f32'), k.cast(value!, 'i32')]
      states.assign([value!, at!], [k.load(x, k.u32(1)), k.lit(2, 'i32')])
      states.assign([value!, at!], swapped)
      push(k.store(y, k.u32(0), k.add(k.mul(value!, k.lit(10)), k.cast(at!, 'f32'))))
    })
    expect(value).toBe(25)
  })
  it('hold four lanes, each of its own', () => {
    const kind: Kind = { ...kindOf('sum'), width: 4 }
    const value = run(data, (states, push) => {
      const state = states.begin(kind)
      const lanes = k.vec([0, 1, 2, 2].map((i) => k.load(x, k.u32(i))))
      states.assign(state, states.merge(kind, state, states.lift(kind, lanes)))
      states.assign(state, states.merge(kind, state, states.identity(kind)))
      push(k.store(y, k.u32(0), k.sub(k.lane(state[0]!, 3), k.lane(state[0]!, 1))))
    })
    expect(value).toBe(2)
  })
})
