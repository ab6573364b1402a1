/** Bounds of indices hold: whatever the interpreter computes lies inside them, on random index expressions. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import { runKernel } from '../../../codegen/kernel/interp/run-kernel.ts'
import type { Binding, KExpr, Kernel, KStmt } from '../../../codegen/kernel/kernel.ts'
import { accessOf } from '../../../codegen/kernel/memory-access.ts'

const p: Binding = { name: 'p', element: k.kType('f32'), access: 'read' }
const out: Binding = { name: 'out', element: k.kType('u32'), access: 'read_write' }
const [workgroups, workgroupSize] = [5, 7]
const n = workgroups * workgroupSize

const small = fc.integer({ min: 0, max: 12 }).map(k.u32)
const divisor = fc.integer({ min: 1, max: 9 }).map(k.u32)
const leaf = fc.oneof(
  fc.constant(k.builtin('gridIndex')),
  fc.constant(k.builtin('localIndex')),
  fc.constant(k.ref('i')),
  small,
)
/** Shared, so that conditions inside indices inside conditions end. */
const depth = fc.createDepthIdentifier()
const { index, cond } = fc.letrec<{ index: KExpr; cond: KExpr }>((tie) => {
  const two = fc.tuple(tie('index'), tie('index'))
  return {
    index: fc.oneof(
      { maxDepth: 4, depthIdentifier: depth },
      leaf,
      two.map(([a, b]) => k.add(a, b)),
      two.map(([a, b]) => k.sub(a, b)),
      fc.tuple(tie('index'), small).map(([a, b]) => k.mul(a, b)),
      fc.tuple(tie('index'), divisor).map(([a, b]) => k.div(a, b)),
      fc.tuple(tie('index'), divisor).map(([a, b]) => k.rem(a, b)),
      fc.tuple(tie('index'), fc.integer({ min: 0, max: 3 })).map(([a, b]) => k.shiftRight(a, k.u32(b))),
      fc.tuple(tie('index'), small).map(([a, b]) => k.and(a, b)),
      two.map(([a, b]) => k.min(a, b)),
      two.map(([a, b]) => k.max(a, b)),
      fc.tuple(tie('cond'), tie('index'), tie('index')).map(([c, a, b]) => k.select(c, a, b)),
    ),
    cond: fc.oneof(
      { maxDepth: 4, depthIdentifier: depth },
      two.map(([a, b]) => k.lt(a, b)),
      two.map(([a, b]) => k.le(a, b)),
      fc.tuple(tie('index'), small).map(([a, b]) => k.eq(a, b)),
      fc.tuple(tie('index'), small).map(([a, b]) => k.le(b, a)),
      fc.tuple(tie('cond'), tie('cond')).map(([a, b]) => k.and(a, b)),
      tie('cond').map(k.not),
    ),
  }
})

it('contains every index that is computed', () => {
  let bounded = 0
  let total = 0
  const check = (e: KExpr, c: KExpr): void => {
    const thread = k.add(k.mul(k.builtin('gridIndex'), k.u32(workgroupSize)), k.builtin('localIndex'))
    // The analysis sees a load at the index; the interpreter, which refuses what is out of range, writes the index down.
    const kernel = (use: KStmt): Kernel => ({
      name: 'k',
      workgroupSize,
      bindings: [p, out],
      arrays: [],
      body: [k.forStmt('i', k.u32(1), k.u32(4), 1, [k.letStmt('at', e), k.ifStmt(c, [use])])],
    })
    const slot = k.add(k.mul(thread, k.u32(4)), k.ref('i'))
    const memory = new Uint8Array(n * 16).fill(0xff).buffer
    runKernel(kernel(k.store(out, slot, k.ref('at'))), workgroups, [
      { buffer: new ArrayBuffer(16), byteOffset: 0, byteLength: 16 },
      { buffer: memory, byteOffset: 0, byteLength: n * 16 },
    ])
    const load = accessOf(kernel(k.letStmt('x', k.load(p, k.ref('at')))), workgroups).accesses[0]!
    total++
    if (!load.elements) return
    bounded++
    const { low, high } = load.elements
    for (const [i, x] of new Uint32Array(memory).entries()) {
      // Slots nobody has written hold the greatest number.
      if (x !== 0xffffffff) expect(x >= low && x <= high, `slot ${i}: ${x} outside of [${low}, ${high}]`).toBe(true)
    }
  }
  fc.assert(fc.property(index, cond, check), { seed: 42, numRuns: 1500 })
  // Bounds that know nothing would be right, too.
  expect(bounded / total).toBeGreaterThan(0.5)
})

it('knows the bounds of a padded and a folded index exactly', () => {
  const thread = k.add(k.mul(k.builtin('gridIndex'), k.u32(8)), k.builtin('localIndex'))
  const g = k.ref('g')
  const padded = k.sub(k.mul(g, k.u32(3)), k.u32(6))
  const inside = k.and(k.le(k.u32(2), g), k.lt(g, k.u32(7)))
  const diagonal = k.sub(g, k.mul(k.ref('j'), k.u32(2)))
  const near = k.and(k.le(k.u32(8), k.add(diagonal, k.u32(8))), k.lt(k.add(diagonal, k.u32(8)), k.u32(13)))
  const folded = k.sub(k.mul(g, k.u32(5)), k.mul(k.ref('j'), k.u32(9)))
  const kernel: Kernel = {
    name: 'k',
    workgroupSize: 8,
    bindings: [p, out],
    arrays: [],
    body: [
      k.letStmt('thread', thread),
      k.ifStmt(k.lt(k.ref('thread'), k.u32(13)), [
        k.letStmt('g', k.ref('thread')),
        k.letStmt('a', k.load(p, k.select(inside, padded, k.u32(0)))),
        k.forStmt('j', k.u32(0), k.u32(5), 1, [k.letStmt('b', k.load(p, k.select(near, folded, k.u32(0))))]),
      ]),
    ],
  }
  expect(accessOf(kernel, 2).accesses.map((a) => a.elements)).toEqual([
    { low: 0, high: 12 },
    { low: 0, high: 24 },
  ])
})
