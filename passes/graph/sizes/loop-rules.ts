/** Named sizes in loops: their bodies are bound as graphs of their own, which are given the sizes they use. */
import * as E from '#fp/Either'
import { build, typeOf } from '../../../src/lang/build.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { AffineSize } from '../../../src/lang/size.ts'
import { graphKit } from '../../../src/lang/trace.ts'
import { holdsWhile } from '../guard-loops.ts'
import {
  type Inner,
  lengthNode,
  needsSize,
  parameter,
  pickAlong,
  positions,
  resultsOf,
  type SizeContext,
  type SizeRule,
  spread,
} from './size-rule.ts'
import { thrice } from './trials.ts'

/** The sizes that a nested graph is given, in the order of its inputs. */
const givenTo = ({ level }: Pick<Inner, 'level'>, lengths: ReadonlyMap<string, Node>): readonly Node[] =>
  [...level.lengths.keys()].map((name) => lengths.get(name)!)

/** Whether `turn` is one that there is. */
const isTurn = (turn: Node, length: Node): Node => build.lt([turn, length], {})

export const scan: SizeRule<'scan'> = (c) => {
  const { carries, slices, reverse } = c.params
  const length = parameter(c, (p) => p.length)
  if (length === undefined || (typeof length === 'object' && length.times < 0))
    return needsSize('the number of turns of the loop is no line over an axis')
  const isSlice = (i: number): boolean => i >= carries && i < carries + slices
  const inner = c.enter(
    thrice(c.nodes, (n) => n.params.body),
    c.sizes.map((s, i) => (isSlice(i) ? s.slice(1) : s)),
  )
  const { inputs, lengths, outputs } = inner
  const parts = [inputs.slice(0, carries + slices), inputs.slice(carries + slices)] as const
  const operands = [c.args.slice(0, carries + slices), c.args.slice(carries + slices)] as const
  const rest = givenTo(inner, c.lengths)
  if (typeof length === 'number') {
    const body = graphKit.close({ inputs: [...inputs, ...lengths], outputs })
    return E.right(resultsOf(build.scan([...c.args, ...rest], { ...c.params, body })))
  }
  // Turns past the last one leave what is carried as it is.
  const [turn] = graphKit.fresh([{ shape: [], dtype: 'i32' }])
  const goes = isTurn(turn!, lengthNode(inner.level, length))
  const kept = outputs.map((n, i) =>
    i < carries ? build.select([spread(goes, typeOf(n).shape), n, inputs[i]!], {}) : n,
  )
  const body = graphKit.close({ inputs: [...parts[0], turn!, ...parts[1], ...lengths], outputs: kept })
  const turns = positions([c.params.length], 0)
  const given = operands[0].map((x, i) => (isSlice(i) && holdsWhile(c.params.body) ? lastAgain(c, x, length) : x))
  const all = [...given, turns, ...operands[1], ...rest]
  return E.right(resultsOf(build.scan(all, { body, carries, slices: slices + 1, length: c.params.length, reverse })))
}

/** `x` with its last row in the place of those that are not there: a loop without a known end would not end on anything else. */
const lastAgain = (c: SizeContext<'scan'>, x: Node, length: AffineSize): Node => {
  c.demand({ ...length, plus: length.plus - 1 })
  const rows = typeOf(x).shape[0]!
  const last = lengthNode(c, { ...length, plus: length.plus - 1 })
  return pickAlong(x, 0, build.min([positions([rows], 0), spread(last, [rows])], {}))
}

export const whileLoop: SizeRule<'while'> = (c) => {
  const body = c.enter(
    thrice(c.nodes, (n) => n.params.body),
    c.sizes,
  )
  const condition = c.enter(
    thrice(c.nodes, (n) => n.params.condition),
    c.sizes,
  )
  const close = ({ inputs, lengths, outputs }: Inner) => graphKit.close({ inputs: [...inputs, ...lengths], outputs })
  const params = { ...c.params, body: close(body), condition: close(condition) }
  return E.right(resultsOf(build.while([...c.args, ...givenTo(body, c.lengths)], params)))
}
