/** Which result takes the place of which argument that is given away. */
import { describe, expect, it } from 'vitest'
import { type Leaf, matchDonations } from '../../../passes/memory/donation.ts'
import { freshInputs } from '../../../src/lang/build.ts'
import type { TensorType } from '../../../src/lang/ir.ts'
import { f32, i32 } from '../graph/programs.ts'

const leaves = (...all: readonly (readonly [string, TensorType])[]): readonly Leaf[] =>
  all.map(([path, type]) => ({ path, node: freshInputs([type])[0]! }))

/** Pairs of paths, arguments first; `kept` are not given away. */
const matched = (
  inputs: readonly (readonly [string, TensorType])[],
  outputs: readonly (readonly [string, TensorType])[],
  kept: readonly string[] = [],
): readonly string[] => {
  const given = leaves(...inputs).map((l) => ({ ...l, donated: !kept.includes(l.path) }))
  return [...matchDonations(given, leaves(...outputs))].map(([i, o]) => `${inputs[i]![0]} <- ${outputs[o]![0]}`)
}

const w = f32(3, 5)

describe('donation', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'the end of the path decides',
      matched(
        [
          ['[0].params.a', w],
          ['[0].params.b', w],
        ],
        [
          ['[0].b', w],
          ['[0].a', w],
        ],
      ),
      ['[0].params.a <- [0].a', '[0].params.b <- [0].b'],
    ],
    [
      'the longest agreement decides',
      matched(
        [
          ['[0].m.w', w],
          ['[0].v.w', w],
        ],
        [
          ['.v.w', w],
          ['.m.w', w],
          ['.w', w],
        ],
      ),
      ['[0].m.w <- .m.w', '[0].v.w <- .v.w'],
    ],
    [
      'without agreement the first free result of the type',
      matched(
        [
          ['[0]', w],
          ['[1]', w],
        ],
        [
          ['.x', w],
          ['.y', w],
        ],
      ),
      ['[0] <- .x', '[1] <- .y'],
    ],
    [
      'a result replaces one argument only',
      matched(
        [
          ['[0]', w],
          ['[1]', w],
        ],
        [['.x', w]],
      ),
      ['[0] <- .x'],
    ],
    ['another shape does not fit', matched([['[0].w', w]], [['[0].w', f32(5, 3)]]), []],
    ['another dtype does not fit', matched([['[0].w', i32(4)]], [['[0].w', f32(4)]]), []],
    ['a broadcastable shape does not fit', matched([['[0].w', f32(1)]], [['[0].w', f32()]]), []],
    [
      'what is kept is never replaced',
      matched(
        [
          ['[0].w', w],
          ['[1].w', w],
        ],
        [['.w', w]],
        ['[0].w'],
      ),
      ['[1].w <- .w'],
    ],
    [
      'indices of lists are part of the path',
      matched(
        [
          ['[0][0]', w],
          ['[0][1]', w],
        ],
        [
          ['[1]', w],
          ['[0]', w],
        ],
      ),
      ['[0][0] <- [0]', '[0][1] <- [1]'],
    ],
    [
      'names that only end alike do not agree',
      matched(
        [
          ['[0].bw', w],
          ['[0].w', w],
        ],
        [
          ['.w', w],
          ['.bw', w],
        ],
      ),
      ['[0].bw <- .bw', '[0].w <- .w'],
    ],
  ])('%s', (_, pairs, expected) => {
    expect(pairs).toEqual(expected)
  })
})
