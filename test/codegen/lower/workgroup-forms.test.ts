/**
 * What workgroups compute together has the bits of what single invocations compute: rows whose loops are dealt out, and
 * contractions in tiles of workgroup memory, at edges of every kind, with what is fused before and after them.
 */
import { describe, expect, it } from 'vitest'
import { verifyKernel } from '../../../codegen/kernel/verify-kernel.ts'
import { hardware, software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Profile } from '../../../passes/profile.ts'
import * as T from '../../../src/index.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import * as nn from '../../../src/nn/index.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { sharedDevice } from '../../device.ts'
import { interpretPlan } from '../../differential.ts'
import { randomWords } from '../kernel/sweep.ts'

type X = T.Tensor
type Program = (...xs: readonly X[]) => unknown
type Shape = readonly number[]

/** Where invocations are dear and barriers cost nothing, every row is shared; where few invocations are enough, every tile. */
const sharing: Profile = { ...hardware, costs: { ...hardware.costs, flops: 1e6, barrier: 0, threads: 1 << 24 } }
const tiling: Profile = { ...hardware, costs: { ...hardware.costs, threads: 64 } }
const small = (p: Profile): Profile => ({ ...p, workgroupThreads: 64 })

const seed = 20261130
const next = randomWords(seed)
const numbers = (size: number): Float32Array =>
  Float32Array.from({ length: size }, () => (next() & 1 ? 1 : -1) * 2 ** ((next() / 2 ** 32) * 4 - 2))

const planFor = (f: Program, shapes: readonly Shape[], profile: Profile) => {
  const { plan } = T.orThrow(T.compile(f as never, shapes.map((s) => T.spec(s)) as never, { profile }))
  for (const { kernel } of plan.kernels) expect(verifyKernel(kernel)).toEqual([])
  return plan
}
const usesWorkgroupMemory = (plan: ReturnType<typeof planFor>): boolean =>
  plan.kernels.some((k) => k.kernel.arrays.some((a) => a.space === 'workgroup'))

const bitsOf = (data: ArrayLike<number>): readonly number[] => [...new Uint32Array(Float32Array.from(data).buffer)]

const interpreted = (f: Program, shapes: readonly Shape[], data: readonly Float32Array[], profile: Profile) => {
  const plan = planFor(f, shapes, profile)
  const values = shapes.map((shape, i) => ({ shape, dtype: 'f32' as const, data: Float64Array.from(data[i]!) }))
  return { bits: interpretPlan(plan, values).map((v) => bitsOf(v.data)), isShared: usesWorkgroupMemory(plan) }
}

/** The profiles under which a program has other bits than where invocations work alone; whether some shared its work. */
const compared = (f: Program, shapes: readonly Shape[], profiles: readonly Profile[]) => {
  const data = shapes.map((s) => numbers(sizeOf(s)))
  const want = interpreted(f, shapes, data, software)
  const got = profiles.map((p) => interpreted(f, shapes, data, p))
  return {
    isEqual: got.every((g) => JSON.stringify(g.bits) === JSON.stringify(want.bits)),
    shared: got.map((g) => g.isShared),
  }
}

const rows: Readonly<Record<string, (x: X) => unknown>> = {
  sum: (x) => T.sum(x, { axis: 1 }),
  'sum of columns': (x) => T.sum(T.matrixTranspose(x), { axis: 0 }),
  'maximum and where': (x) => [T.max(x, { axis: 1 }), T.argmax(T.round(x), { axis: 1 })],
  product: (x) => T.prod(x, { axis: 1 }),
  variance: (x) => T.variance(x, { axis: 1, correction: 0 }),
  logsumexp: (x) => T.logsumexp(x, { axis: 1 }),
  softmax: (x) => nn.softmax(x),
  layerNorm: (x) => nn.layerNorm(x),
  'a row and its sum': (x) => [T.exp(x), T.sum(x, { axis: 1 }), T.sub(x, T.mean(x, { axis: 1, keepdims: true }))],
}

describe('rows that a workgroup shares', () => {
  it.each(Object.entries(rows))('%s', (_, f) => {
    const shared: boolean[] = []
    for (const n of [1, 3, 8, 64, 65, 509, 1021, 2049]) {
      const found = compared(f as Program, [[2, n]], n > 1021 ? [sharing] : [sharing, small(sharing)])
      expect(found.isEqual, `[2, ${n}], seed ${seed}`).toBe(true)
      shared.push(...found.shared)
    }
    expect(shared).toContain(true)
  })

  it('over two axes, an inner and an outer one', () => {
    for (const shape of [
      [64, 2, 9],
      [9, 3, 64],
      [100, 2, 1],
    ])
      for (const f of [(x: X) => T.sum(x, { axis: [0, 2] }), (x: X) => T.max(x, { axis: [0, 2] })])
        expect(compared(f as Program, [shape], [sharing, small(sharing)]).isEqual, `[${shape}]`).toBe(true)
  })
})

const product: Program = (a, b) => T.matmul(a!, b!)
const extents = [1, 2, 3, 63, 64, 65, 509, 1021]

describe('contractions in workgroup tiles', () => {
  it.each([
    [
      'rows',
      (n: number) => [
        [n, 33],
        [33, 68],
      ],
    ],
    [
      'contracted',
      (n: number) => [
        [36, n],
        [n, 65],
      ],
    ],
    [
      'columns',
      (n: number) => [
        [35, 17],
        [17, n],
      ],
    ],
  ] as const)('at every extent of their %s', (_, shapesOf) => {
    const shared: boolean[] = []
    for (const n of extents) {
      const found = compared(product, shapesOf(n), [n % 2 === 0 ? small(tiling) : tiling])
      expect(found.isEqual, `${n}, seed ${seed}`).toBe(true)
      shared.push(...found.shared)
    }
    expect(shared.filter(Boolean).length).toBeGreaterThan(3)
  })

  const around: readonly (readonly [string, Program, readonly Shape[]])[] = [
    ['bias and activation', (a, b, c) => nn.gelu(T.add(T.matmul(a!, b!), c!)), [[65, 40], [40, 68], [68]]],
    [
      'operands that are computed',
      (a, b) => T.matmul(T.tanh(a!), T.mul(b!, 2)),
      [
        [64, 40],
        [40, 64],
      ],
    ],
    [
      'operands that lie across',
      (a, b) => T.matmul(T.matrixTranspose(a!), T.matrixTranspose(b!)),
      [
        [40, 65],
        [67, 40],
      ],
    ],
    [
      'both transposed and summed',
      (a, b) => T.add(T.matmul(a!, T.matrixTranspose(b!)), 1),
      [
        [66, 300],
        [64, 300],
      ],
    ],
    [
      'a batch',
      (a, b) => T.matmul(a!, b!),
      [
        [3, 64, 20],
        [3, 20, 64],
      ],
    ],
    [
      'a batch against one',
      (a, b) => T.matmul(a!, b!),
      [
        [2, 64, 20],
        [20, 64],
      ],
    ],
    [
      'two products of one operand',
      (a, b, c) => [T.matmul(a!, b!), T.matmul(a!, c!)],
      [
        [64, 20],
        [20, 64],
        [20, 64],
      ],
    ],
    [
      'a sum of two products',
      (a, b, c) => T.add(T.matmul(a!, b!), T.matmul(a!, c!)),
      [
        [64, 20],
        [20, 64],
        [20, 64],
      ],
    ],
    [
      'a mask',
      (a, b) => T.where(T.greater(T.matmul(a!, b!), 0), T.matmul(a!, b!), -1),
      [
        [65, 20],
        [20, 65],
      ],
    ],
    [
      'padded operands',
      (a, b) =>
        T.matmul(
          T.pad(a!, [
            [1, 2],
            [3, 4],
          ]),
          b!,
        ),
      [
        [62, 13],
        [20, 64],
      ],
    ],
    ['a row beside them', (a, b, c) => [T.matmul(a!, b!), T.exp(c!)], [[64, 20], [20, 64], [64]]],
  ]
  it.each(around)('with %s', (_, f, shapes) => {
    const found = compared(f, shapes, [tiling])
    expect(found.isEqual, `seed ${seed}`).toBe(true)
    expect(found.shared).toContain(true)
  })

  it('move a seventh of what tiles of registers do, where they are large', () => {
    const { prediction, steps } = planFor(
      product,
      [
        [1024, 1024],
        [1024, 1024],
      ],
      hardware,
    )
    expect(steps).toHaveLength(1)
    // 64 tiles of 128 by 128, each of which reads its rows and its columns.
    expect(prediction.bytes).toBe(64 * 2 * 128 * 1024 * 4 + 1024 * 1024 * 4)
    expect(prediction.bytes).toBeLessThanOrEqual(558e6 / 7)
  })
})

it('have the same bits on the device', async () => {
  const cases: readonly (readonly [Program, readonly Shape[], Profile])[] = [
    [
      (x) => [nn.softmax(x!), T.variance(x!, { axis: 1, correction: 0 }), T.argmax(x!, { axis: 1 })],
      [[2, 1021]],
      sharing,
    ],
    [(a, b, c) => nn.gelu(T.add(T.matmul(a!, b!), c!)), [[65, 300], [300, 68], [68]], tiling],
    [
      product,
      [
        [40, 33],
        [33, 67],
      ],
      small(tiling),
    ],
  ]
  for (const [f, shapes, profile] of cases) {
    const data = shapes.map((s) => numbers(sizeOf(s)))
    const plans = [planFor(f, shapes, software), planFor(f, shapes, profile)]
    expect(plans.map(usesWorkgroupMemory)).toEqual([false, true])
    const [want, got] = await Promise.all(
      plans.map(async (plan) => {
        const outputs = await (await loadPlan(await sharedDevice(), plan)).run(data)
        return Promise.all(outputs.map(async (o) => bitsOf((await o.read()) as ArrayLike<number>)))
      }),
    )
    expect(got, `seed ${seed}`).toEqual(want)
  }
})
