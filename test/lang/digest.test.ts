/** Digests depend on what is computed, not on when; the hash is checked against mmh3's MurmurHash3_x86_128. */
import { describe, expect, test } from 'vitest'
import { digestGraph, hashWords } from '../../src/lang/digest.ts'
import type { Graph } from '../../src/lang/ir.ts'
import * as T from '../../src/lang/tensor/index.ts'
import { traceTree } from '../../src/lang/trace.ts'
import type { Tensor } from '../../src/lang/types/tensor.ts'

const spec = (...shape: readonly number[]) => ({ shape, dtype: 'f32' as const })
const graphOf = (f: (...xs: never[]) => unknown, ...specs: readonly unknown[]): Graph => traceTree(f, specs).graph

describe('hashWords', () => {
  test.each([
    [[], [0, 0, 0, 0]],
    [[1], [0xcf0f20ca, 0x519c70b1, 0x519c70b1, 0x519c70b1]],
    [
      [1, 2],
      [0x40e85748, 0xa4321e5e, 0x7fee4e56, 0x7fee4e56],
    ],
    [
      [1, 2, 3],
      [0x85047216, 0x70aa166f, 0x7385e62f, 0x9204edfb],
    ],
    [
      [1, 2, 3, 4],
      [0x37d6ee17, 0x3d4a429d, 0x3dbb9c17, 0x5b64b81d],
    ],
    [
      [1, 2, 3, 4, 5],
      [0x0dca8707, 0x1928c7ed, 0x5297eff9, 0xd58e05b7],
    ],
    [Array.from({ length: 9 }, () => 0xffffffff), [0x96b940fe, 0xf4518ea0, 0xea46bad6, 0xf5be351f]],
  ])('%j', (words, expected) => {
    expect(hashWords(words)).toEqual(expected)
  })
})

const layer = (x: Tensor, y: Tensor): Tensor => T.sub(T.exp(x) as Tensor, y)

describe('digestGraph', () => {
  test('is the same for equal functions traced at different times', () => {
    const first = digestGraph(graphOf(layer, spec(3), spec(3)))
    graphOf((x: Tensor) => T.cos(x), spec(7))
    expect(digestGraph(graphOf(layer, spec(3), spec(3)))).toBe(first)
    expect(first).toBe('d76b4d39a27f614d268b944f65bcfb8e')
  })

  test('does not depend on the order of construction', () => {
    const ab = graphOf((x: Tensor) => {
      const [a, b] = [T.sin(x), T.cos(x)]
      return T.sub(a, b)
    }, spec(2))
    const ba = graphOf((x: Tensor) => {
      const b = T.cos(x)
      return T.sub(T.sin(x), b)
    }, spec(2))
    expect(digestGraph(ba)).toBe(digestGraph(ab))
  })

  test('tells apart what differs', () => {
    const all = [
      graphOf(layer, spec(3), spec(3)),
      graphOf(layer, spec(4), spec(4)),
      graphOf((x: Tensor, y: Tensor) => layer(y, x), spec(3), spec(3)),
      graphOf((x: Tensor, y: Tensor) => [layer(x, y), x], spec(3), spec(3)),
      graphOf((x: Tensor) => T.add(x, 0), spec(3)),
      graphOf((x: Tensor) => T.add(x, -0), spec(3)),
      graphOf((x: Tensor) => T.add(x, Number.NaN), spec(3)),
      graphOf((x: Tensor) => T.add(x, T.fromArray(new Float32Array(100), [100])), spec(100)),
      graphOf((x: Tensor) => T.add(x, T.fromArray(new Float32Array(100).fill(1), [100])), spec(100)),
    ]
    expect(new Set(all.map(digestGraph)).size).toBe(all.length)
  })

  test('of large constants depends on their contents, not their identity', () => {
    const big = (): Graph =>
      graphOf(
        (x: Tensor) =>
          T.add(
            x,
            T.fromArray(
              Float32Array.from({ length: 100 }, (_, i) => i),
              [100],
            ),
          ),
        spec(100),
      )
    expect(digestGraph(big())).toBe(digestGraph(big()))
  })

  test('works on graphs deeper than the stack', () => {
    const deep = graphOf((x: Tensor) => {
      let y = x
      for (let i = 0; i < 20_000; i++) y = T.sin(y)
      return y
    }, spec(1))
    expect(digestGraph(deep)).toMatch(/^[0-9a-f]{32}$/)
  })
})
