/** pad in every mode, its widths negative as well, against the definition by index. */
import { describe, expect, test } from 'vitest'
import * as T from '../../../../src/index.ts'
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
