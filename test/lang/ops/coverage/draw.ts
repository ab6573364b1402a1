/**
 * One op at a time, as the makers of random graphs make it: programs around a single op, of chosen shapes and dtypes. The
 * same op, shapes and number give the same program.
 */
import { Arbitrary, sample as drawSamples, Value as Generated, type Random, Stream } from 'fast-check'
import { build, typesOf } from '../../../../src/lang/build.ts'
import { type DType, isFloat } from '../../../../src/lang/dtype.ts'
import type { Node, Op, TensorType } from '../../../../src/lang/ir.ts'
import { topological } from '../../../../src/lang/topological.ts'
import { type Dice, diceOf } from '../../../../src/testing/dice.ts'
import { makers } from '../../../../src/testing/makers/maker-table.ts'
import { type Sample, sampleOf } from '../../../../src/testing/sample.ts'
import { createWorkshop, type WorkshopOptions } from '../../../../src/testing/workshop.ts'

type Shapes = Pick<WorkshopOptions, 'dims' | 'limit'> & { readonly ranks?: readonly number[] }

export const shapeNames = ['ordinary', 'empty', 'one', 'scalar', 'prime', '8-D', 'tile'] as const
export type ShapeKind = (typeof shapeNames)[number]

/** The shapes that break things; the last are just over a tile of 16, 32 and 64. */
const shapeKinds: { readonly [K in ShapeKind]: Shapes } = {
  ordinary: { dims: [2, 3, 4, 5], limit: 100 },
  empty: { dims: [0, 0, 3], limit: 64, ranks: [1, 2, 3] },
  one: { dims: [1], limit: 64, ranks: [1, 2, 3] },
  scalar: { dims: [2, 3], limit: 64, ranks: [0] },
  prime: { dims: [7, 11, 13], limit: 150, ranks: [1, 2] },
  '8-D': { dims: [1, 2, 2], limit: 256, ranks: [8] },
  tile: { dims: [3, 17, 33, 65], limit: 1200, ranks: [1, 2, 2] },
}

const isOf: { readonly [K in ShapeKind]: (types: readonly TensorType[]) => boolean } = {
  ordinary: () => true,
  empty: (ts) => ts.some((t) => t.shape.includes(0)),
  one: (ts) => ts.every((t) => t.shape.every((d) => d === 1)),
  scalar: (ts) => ts.some((t) => t.shape.length === 0),
  prime: (ts) => ts.some((t) => t.shape.some((d) => d === 7 || d === 11 || d === 13)),
  '8-D': (ts) => ts.some((t) => t.shape.length >= 8),
  tile: (ts) => ts.some((t) => t.shape.some((d) => d === 17 || d === 33 || d === 65)),
}

/** A program around one node of an op; `node` is that node. */
export interface Case {
  readonly node: Node
  readonly sample: Sample
}

/** Random draws without shrinking: a seed gives the same ones anywhere. */
class Drawn<T> extends Arbitrary<T> {
  readonly draw: (dice: Dice) => T
  constructor(draw: (dice: Dice) => T) {
    super()
    this.draw = draw
  }
  override generate(random: Random): Generated<T> {
    return new Generated(this.draw(diceOf(random)), undefined)
  }
  override canShrinkWithoutContext(_value: unknown): _value is T {
    return false
  }
  override shrink(): Stream<Generated<T>> {
    return Stream.nil()
  }
}

/** All results of a node; a program cannot give a node of several results as one. */
const outputsOf = (n: Node): readonly Node[] => {
  const count = typesOf(n).length
  return count === 1 ? [n] : Array.from({ length: count }, (_, index) => build.get([n], { index }))
}

const draw = (op: Op, kind: ShapeKind, dtypes: readonly DType[], dice: Dice): Case | undefined => {
  const w = createWorkshop(dice, {
    ...shapeKinds[kind],
    dtypes: [...dtypes, ...dtypes.filter(isFloat)],
    woven: false,
    branches: true,
    maxInputs: 8,
    special: 0,
  })
  const made = makers[op](w)
  const found = made && topological([made]).findLast((n) => n.op === op)
  // The results of one op of several are those of the op itself.
  const node = op === 'get' ? found?.args[0] : found
  if (!node) return undefined
  const types = [node, ...node.args].flatMap((n) => [...typesOf(n)])
  if (!isOf[kind](types)) return undefined
  return { node, sample: sampleOf(outputsOf(node), w.inputs) }
}

const seedOf = (text: string): number => {
  let h = 7
  for (const c of text) h = (Math.imul(h, 31) + c.charCodeAt(0)) | 0
  return h
}

const usual: readonly DType[] = ['f32', 'i32', 'u32', 'bool']

/** Up to `count` programs of an op; fewer where its maker finds none in many tries. */
export const casesOf = (op: Op, kind: ShapeKind, count: number, dtypes: readonly DType[] = usual): readonly Case[] => {
  const found: Case[] = []
  for (let round = 0; round < 20 && found.length < count; round++) {
    const tries = drawSamples(new Drawn((dice) => draw(op, kind, dtypes, dice)), {
      seed: seedOf(`${op} ${kind} ${dtypes.join()} ${round}`),
      numRuns: 4 * count,
    })
    found.push(...tries.filter((c) => c !== undefined))
  }
  return found.slice(0, count)
}
