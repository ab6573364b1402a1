/** One plan for every size of an axis: the issue's own programs, on both back ends, against plans of known sizes. */
import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import type { NamedSize } from '../../src/lang/size.ts'
import * as nn from '../../src/nn/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { eachDevice } from '../runtime/each-device.ts'

type Sizes = readonly (number | NamedSize)[]

/** A program, the shapes of its arguments, and how many classes its integers name. */
interface Case {
  readonly name: string
  readonly f: (...args: never[]) => unknown
  readonly shapes: (n: number | NamedSize) => readonly Sizes[]
  readonly integers?: readonly number[]
}

const [B, L] = [T.dim('batch', { max: 512 }), T.dim('length', { max: 512 })]

const mlp = (w1: T.Tensor, b1: T.Tensor, w2: T.Tensor, x: T.Tensor, y: T.Tensor) => {
  const loss = (p: readonly T.Tensor[]): T.Tensor => {
    const h = T.relu(T.add(T.matmul(x, p[0]!), p[1]!))
    return nn.crossEntropy(T.matmul(h, p[2]!), y as T.Tensor<readonly [number], 'i32'>)
  }
  const [value, grads] = T.valueAndGrad(loss)([w1, b1, w2])
  return { value, next: [w1, b1, w2].map((p, i) => T.sub(p, T.mul(0.1, grads[i]!))) }
}

const cnn = (k: T.Tensor, w: T.Tensor, x: T.Tensor): T.Tensor => {
  const h = nn.maxPool2d(T.relu(nn.conv2d(x, { weight: k }, { padding: 1 })), { kernelSize: 2 })
  return nn.softmax(T.matmul(T.reshape(h, [x.shape[0]!, -1]), w))
}

const attention = (q: T.Tensor, k: T.Tensor, v: T.Tensor): T.Tensor =>
  nn.scaledDotProductAttention(q, k, v, { causal: true })

const cases: readonly Case[] = [
  {
    name: 'a training step of an MLP',
    f: mlp as never,
    shapes: (n) => [[12, 16], [16], [16, 10], [n, 12], [n]],
    integers: [4],
  },
  {
    name: 'a prediction of a CNN',
    f: cnn as never,
    shapes: (n) => [
      [3, 1, 3, 3],
      [48, 5],
      [n, 1, 8, 8],
    ],
  },
  {
    name: 'causal attention',
    f: attention as never,
    shapes: (n) => [
      [2, n, 4],
      [2, n, 4],
      [2, n, 4],
    ],
  },
]

const valuesOf = (shape: readonly number[], seed: number, integers: boolean): Float32Array | Int32Array =>
  integers
    ? Int32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7 + seed) % 10)
    : Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.7 + seed) + 0.05 * Math.cos(i * i))

const loaded = async ({ f, shapes, integers = [] }: Case, n: number | NamedSize, device: Device) => {
  const specs = shapes(n).map((shape, i) => T.spec(shape, integers.includes(i) ? 'i32' : 'f32'))
  const program = T.orThrow(T.compile(f, specs as never)) as unknown as Program<readonly unknown[], unknown>
  return T.toPromise(program.load(device))
}

const arraysOf = async (tree: unknown): Promise<readonly (readonly [readonly number[], ArrayLike<number>])[]> => {
  const { leaves } = T.flattenTree(tree, T.isHandle)
  return Promise.all(leaves.map(async (h) => [h.shape, await (h as T.Output).read()] as const))
}

describe.each(eachDevice)('on the $name', ({ name, shared }) => {
  it.each(cases)('one plan runs $name of every size', async (program) => {
    const device = await shared()
    const any = await loaded(program, program.name === 'causal attention' ? L : B, device)
    const { integers = [] } = program
    for (const n of name === 'cpu' ? [7, 1, 512, 64] : [7, 64]) {
      const known = await loaded(program, n, device)
      const args = program
        .shapes(n)
        .map((shape, i) => ({ shape, data: valuesOf(shape as readonly number[], i, integers.includes(i)) }))
      const [got, wanted] = [await arraysOf(await any.run(...args)), await arraysOf(await known.run(...args))]
      for (const [o, [shape, values]] of wanted.entries()) {
        expect(got[o]![0]).toEqual(shape)
        if (name === 'cpu') expect(got[o]![1]).toEqual(values)
        else for (let i = 0; i < values.length; i++) expect(got[o]![1][i]).toBeCloseTo(values[i]!, 5)
      }
    }
  })
})
