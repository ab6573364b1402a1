/** pad in every mode, its widths negative as well, against the definition by index. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
import type { DType } from '../../../../src/lang/dtype.ts'
import { agreesWithReference, checkVmap } from '../../../../src/testing/index.ts'
import { sharedDevice } from '../../../device.ts'
import { flat, mistakeOf } from '../run.ts'

type Mode = NonNullable<T.PadOptions['mode']>

/** What stands at place `i` of the padded line: the index into `line`, which a cut has shortened where the axis wraps. */
const source: Readonly<Record<Exclude<Mode, 'constant'>, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => ((i % n) + n) % n,
}

const padded = (line: readonly number[], before: number, after: number, mode: Exclude<Mode, 'constant'>): number[] => {
  const kept = mode === 'circular' ? line.slice(Math.max(0, -before), line.length - Math.max(0, -after)) : line
  const [first, count] =
    mode === 'circular'
      ? [Math.max(0, before), kept.length + Math.max(0, before) + Math.max(0, after)]
      : [before, line.length + before + after]
  return Array.from({ length: count }, (_, i) => kept[source[mode](i - first, kept.length)]!)
}

const line = [2, 3, 5, 7, 11]
const widths = [-3, -1, 0, 1, 2].flatMap((a) => [-2, 0, 1, 2].map((b) => [a, b] as const))

describe.each(['reflect', 'replicate', 'circular'] as const)('%s', (mode) => {
  test.each(widths.filter(([a, b]) => mode !== 'circular' || line.length + Math.min(a, 0) + Math.min(b, 0) >= 2))(
    '%i before and %i after',
    (a, b) => {
      expect(flat(T.pad(T.tensor(line), [[a, b]], { mode }))).toEqual(padded(line, a, b, mode))
    },
  )
})

test('what cannot be mirrored, wrapped or cut is refused', () => {
  const x = T.tensor(line)
  for (const [width, mode] of [
    [[5, 0], 'reflect'],
    [[6, 0], 'circular'],
    [[-3, 3], 'circular'],
    [[-6, 0], 'replicate'],
  ] as const)
    expect(mistakeOf(T.pad(x, [width], { mode }))).toMatchObject({ tag: 'ShapeError', op: 'T.pad', axis: 0 })
})

describe('a bool tensor', () => {
  const mask = T.tensor([
    [true, false, true],
    [false, false, true],
  ])
  const around = (x: T.Tensor, value: number | boolean): T.Tensor =>
    T.pad(
      x,
      [
        [1, 0],
        [-1, 2],
      ] as const,
      { value },
    ) as T.Tensor

  test.each([true, 1])('is padded with %s', (value) => {
    const out = around(mask, value)
    expect([out.dtype, out.shape]).toEqual(['bool', [3, 4]])
    expect(flat(out)).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1])
  })

  test.each([false, 0])('is padded with %s', (value) => {
    expect(flat(around(mask, value))).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0])
  })

  test('with true: the same on a device, computed, as an argument and inside others; batched', async () => {
    const device = await sharedDevice()
    const f = (m: T.Tensor, x: T.Tensor): unknown => {
      const inside = around(T.logicalNot(m as never), true)
      return {
        alone: around(m, true),
        inside,
        twice: T.pad(
          around(m, true),
          [
            [1, 1],
            [0, 1],
          ] as const,
          { value: false },
        ),
        cropped: T.pad(
          around(m, true),
          [
            [-1, 1],
            [0, -3],
          ] as const,
          { value: true },
        ),
        chosen: T.where(
          inside as never,
          T.pad(x, [
            [1, 0],
            [-1, 2],
          ] as const),
          -1,
        ),
        all: T.all(around(m, true), { axis: 0 }),
        count: T.sum(around(T.greater(x, 0) as never, true)),
      }
    }
    const x = T.tensor([
      [1, -2, 3],
      [-4, 5, -6],
    ])
    expect(await agreesWithReference(f as never, [mask, x] as never, { device })).toBe(true)
    checkVmap((m: T.Tensor) => around(m, true), [T.stack([mask, T.logicalNot(mask)])])
  })

  test('with true has no gradient, and lets that of others through', () => {
    const loss = (x: T.Tensor): T.Tensor =>
      T.sum(
        T.where(
          around(T.greater(x, 0) as never, true) as never,
          T.pad(x, [
            [1, 0],
            [-1, 2],
          ] as const),
          0,
        ),
      ) as T.Tensor
    const x = T.tensor(
      [
        [1, -2, 3],
        [4, 5, -6],
      ],
      { dtype: 'f32' },
    )
    expect(flat(T.grad(loss as never)(x as never) as T.Tensor)).toEqual([0, 0, 1, 0, 1, 0])
  })
})

test.each<[DType, number | boolean, string | undefined]>([
  ['i32', true, undefined],
  ['f32', true, undefined],
  ['bool', 2, 'bool cannot hold 2'],
  ['bool', Number.NaN, 'bool cannot hold NaN'],
  ['u8', 256, 'u8 cannot hold 256'],
])('%s with %s', (dtype, value, reason) => {
  const out = T.pad(T.zeros([1], { dtype }) as T.Tensor, [[0, 1]], { value })
  if (reason === undefined) expect(flat(out)).toEqual([0, 1])
  else expect(mistakeOf(out)).toMatchObject({ tag: 'ShapeError', reason })
})

test('a value that is no number is refused', () => {
  expect(() => T.pad(T.ones([1]), [[0, 1]], { value: '1' as never })).toThrow("T.pad: the value is '1', not a number")
})
