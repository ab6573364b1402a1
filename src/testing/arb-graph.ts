/** The arbitrary of random well-typed programs: every primitive takes part, sizes stay small, failures shrink to a few nodes. */
import { Arbitrary, Value as Generated, type Random, Stream, toStringMethod } from 'fast-check'
import { typeOf } from '../lang/build.ts'
import { type DType, isFloat } from '../lang/dtype.ts'
import { binaryOps, type Node, type Op, unaryOps } from '../lang/ir.ts'
import { demandChoice, demandDType, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { topological } from '../lang/topological.ts'
import { type Dice, diceOf, drawDim } from './dice.ts'
import { makers } from './makers/maker-table.ts'
import { mapMaker } from './makers/map.ts'
import { isSmall } from './makers/movement.ts'
import { type Sample, sampleOf, showSample } from './sample.ts'
import { shrinkSample } from './shrink.ts'
import { createWorkshop, type Workshop } from './workshop.ts'

/** What random graphs are made of. */
export interface GraphOptions {
  /** Nodes a graph may have, 30 unless said. */
  readonly maxNodes?: number | undefined
  /** The primitives to use; all but calls and users' WGSL unless said. Guards that keep indices and domains in range may add others. */
  readonly ops?: readonly Op[] | undefined
  /**
   * Primitives to leave out of these: `['while']` where gradients are taken, as a loop without a known end has none;
   * `['while', 'cond']` for what works below the graph, where neither is left.
   */
  readonly without?: readonly Op[] | undefined
  /** Whether parts of a graph are mapped over batches, which may add any op that moves elements; true unless `ops` is said. */
  readonly vmap?: boolean | undefined
  /** The dtypes to use; f32, i32, u32 and bool unless said. */
  readonly dtypes?: readonly DType[] | undefined
  /** Elements a tensor may have: mostly 64, now and then 500 or 3000, unless said. */
  readonly maxElements?: number | undefined
  /** Whether NaN, infinities and extremes of the integers occur (in a quarter of the graphs); true unless said. */
  readonly specials?: boolean | undefined
}

const graphOptions: OptionNames<GraphOptions> = {
  maxNodes: 'count',
  ops: 'list',
  without: 'list',
  vmap: 'boolean',
  dtypes: 'list',
  maxElements: 'size',
  specials: 'boolean',
}

/** What is drawn next: a node of one op, or a batch of what there is. */
type Draw = Op | 'vmap'

interface Family {
  readonly weight: number
  readonly ops: readonly Draw[]
}

/** Ops of one family are as likely as those of another, however many there are. */
const families: readonly Family[] = [
  { weight: 5, ops: unaryOps },
  { weight: 6, ops: binaryOps },
  { weight: 3, ops: ['select', 'cast', 'cast', 'bitcast'] },
  { weight: 7, ops: ['reshape', 'permute', 'broadcast', 'slice', 'pad', 'flip', 'concat', 'window', 'fold'] },
  {
    weight: 6,
    ops: [
      ...['reduce', 'reduce', 'reduce', 'dot', 'dot', 'gather', 'scatterAdd'],
      ...['cumulate', 'sort', 'scan', 'threefry', 'stopGradient', 'observe', 'barrier'],
    ] as readonly Op[],
  },
  { weight: 0.5, ops: ['triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd'] },
  { weight: 2, ops: ['input', 'const', 'data', 'iota'] },
]

/** Gone before a graph is lowered: little beside what stays. */
const control: readonly Op[] = ['while', 'cond']

/** Calls, and what users bring along: only where asked for. */
const asked: readonly Op[] = ['customCall', 'elementwise', 'kernel']

/** All that is as likely as a family of its own where it is asked for by name. */
const passing: readonly Op[] = ['customCall', 'while', 'cond', 'elementwise', 'kernel']

/** What the options add to the usual families. */
const extraFamilies = ({ ops, vmap = ops === undefined }: GraphOptions): readonly Family[] => [
  ...(ops === undefined ? [{ weight: 1.2, ops: control }] : []),
  ...(ops?.some((op) => passing.includes(op)) ? [{ weight: 4, ops: passing.filter((op) => ops.includes(op)) }] : []),
  ...(vmap ? [{ weight: 1.2, ops: ['vmap'] as const }] : []),
]

/** Whether the options allow an op. */
const isAllowed = ({ ops, without = [] }: GraphOptions, op: Op): boolean =>
  !without.includes(op) && (ops === undefined ? !asked.includes(op) : ops.includes(op))

/** What programs are mostly made of: arithmetic on equal shapes, reductions and their spreading back, views. */
const wovenFamilies: readonly Family[] = [
  { weight: 3, ops: unaryOps },
  { weight: 8, ops: ['add', 'sub', 'mul', 'mul', 'add', 'max', 'div', 'lt'] },
  { weight: 1, ops: ['select', 'cast'] },
  { weight: 5, ops: ['reduce'] },
  { weight: 5, ops: ['broadcast'] },
  { weight: 2, ops: ['dot', 'gather', 'scatterAdd'] },
  { weight: 3, ops: ['permute', 'flip', 'reshape', 'slice', 'pad', 'concat', 'window', 'fold'] },
  { weight: 1, ops: ['input', 'const'] },
]

/** The families with what is allowed of them. */
const openFamilies = (likely: readonly Family[], options: GraphOptions): readonly Family[] =>
  likely
    .map(({ weight, ops }) => ({ weight, ops: ops.filter((op) => op === 'vmap' || isAllowed(options, op)) }))
    .filter((f) => f.ops.length > 0)

const draw = (dice: Dice, open: readonly Family[]): Draw => {
  let at = dice.real() * open.reduce((sum, f) => sum + f.weight, 0)
  for (const f of open) {
    at -= f.weight
    if (at < 0) return dice.pick(f.ops)
  }
  return 'input'
}

/** Large or missing numbers hide mistakes: a tensor of them is rarely let in. */
const isTelling = (w: Workshop, n: Node): boolean => {
  if (!isFloat(typeOf(n).dtype)) return true
  const { data } = w.valueOf(n)
  let bad = 0
  for (const x of data) if (!(Math.abs(x) < 1e4)) bad++
  return bad <= data.length * (w.options.special > 0 ? 0.4 : 0)
}

/** Mostly small; now and then large enough for tiles, rarely both large and many. */
const limits: readonly number[] = [...new Array<number>(16).fill(64), 500, 500, 500, 3000]

const drawSample = (dice: Dice, options: GraphOptions): Sample => {
  const { maxNodes = 30, dtypes = ['f32', 'i32', 'u32', 'bool'], specials = true } = options
  const empty = dice.chance(0.07) ? 0.3 : 0
  const woven = dice.chance(0.35)
  const usual = woven ? wovenFamilies : families
  const open = openFamilies([...usual, ...extraFamilies(options)], options)
  const limit = options.maxElements ?? dice.pick(limits)
  const w = createWorkshop(dice, {
    // Floats are what compilers are for: half of all tensors.
    dtypes: [...dtypes, ...dtypes.filter(isFloat), ...dtypes.filter(isFloat)],
    dims: Array.from({ length: woven ? dice.int(1, 3) : dice.int(3, 6) }, () => drawDim(dice, empty, limit > 1000)),
    limit,
    branches: isAllowed(options, 'cond'),
    woven,
    maxInputs: dice.int(1, 6),
    special: specials && dice.chance(0.25) ? 0.4 : 0,
  })
  const target = Math.ceil(maxNodes * (1 - 0.9 * dice.real() ** 2))
  w.offer(makers.input(w)!)
  for (let tries = 0; tries < 8 * target && w.count() < target; tries++) {
    const next = draw(dice, open)
    const n = next === 'vmap' ? mapMaker(w) : makers[next](w)
    if (!n || w.count() > maxNodes || !isSmall(w, n)) continue
    if (isTelling(w, n) || dice.chance(0.02)) w.offer(n)
  }
  return sampleOf(drawOutputs(dice, w), w.inputs)
}

/** Some of what nothing uses, the youngest in any case; now and then something from inside, a leaf, or one thing twice. */
const drawOutputs = (dice: Dice, w: Workshop): readonly Node[] => {
  const reached = new Set(topological(w.pool).flatMap((n) => n.args))
  const sinks = w.pool.filter((n) => !reached.has(n))
  const last = sinks[sinks.length - 1] ?? w.pool[w.pool.length - 1]!
  const chosen = dice.shuffle([...dice.subset(sinks, w.options.woven ? 0.95 : 0.7).filter((n) => n !== last), last])
  const extra = dice.chance(w.options.woven ? 0.6 : 0.25) ? [dice.pick(w.pool)] : []
  return [...chosen.slice(0, 5), ...extra]
}

const printable = (sample: Sample): Sample => {
  const text = { ...sample }
  Object.defineProperty(text, toStringMethod, { value: () => `\n${showSample(sample)}\n` })
  return text
}

class ArbitraryGraph extends Arbitrary<Sample> {
  readonly options: GraphOptions
  constructor(options: GraphOptions) {
    super()
    this.options = options
  }
  override generate(random: Random): Generated<Sample> {
    return new Generated(printable(drawSample(diceOf(random), this.options)), undefined)
  }
  override canShrinkWithoutContext(value: unknown): value is Sample {
    return typeof value === 'object' && value !== null && 'graph' in value && 'inputs' in value
  }
  override shrink(value: Sample): Stream<Generated<Sample>> {
    return new Stream(shrinkSample(value)).map((s) => new Generated(printable(s), undefined))
  }
}

/**
 * Random closed graphs of at most `maxNodes` (30) nodes with arguments for them, built through `build`: of every primitive,
 * loops and branches included, and of batches that `vmap` made of parts of them. Indices lie
 * inside their axes on those arguments. A failing sample shrinks by cutting inner nodes down to inputs that hold their
 * values.
 * @example
 * const [sample] = fc.sample(testing.arbGraph({ maxNodes: 5 }), { seed: 42, numRuns: 1 })
 * sample!.graph.outputs.length > 0 // => true
 */
export const arbGraph = (options: GraphOptions = {}): Arbitrary<Sample> => {
  demandRecord('arbGraph', graphOptions, options)
  for (const op of [...(options.ops ?? []), ...(options.without ?? [])])
    demandChoice('arbGraph', 'operation', op, Object.keys(makers) as Op[])
  for (const dtype of options.dtypes ?? []) demandDType('arbGraph', dtype)
  return new ArbitraryGraph(options)
}
