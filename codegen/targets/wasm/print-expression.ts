/** Expressions of the Kernel IR as WebAssembly: each leaves its value on the stack. */
import { invariant } from '../../../src/lang/errors.ts'
import { constantOf } from '../../kernel/build-kernel.ts'
import type { KExpr, KType, Scalar } from '../../kernel/kernel.ts'
import { operandsOf } from '../../kernel/parts.ts'
import { type Context, callNamed } from './context.ts'
import { floatBits } from './encode.ts'
import { typeOf } from './frame.ts'
import type { Instruction, ValueType } from './instructions.ts'
import { neighboursOf } from './neighbours.ts'
import { memarg, pushAddress, pushLoad, pushNeighbours, regionOf } from './print-memory.ts'
import { pushNative } from './print-native.ts'
import type { Site } from './site.ts'
import { castSpelling } from './spell-cast.ts'
import { spellingOf } from './spelling.ts'
import { isWordLoad } from './spread.ts'

const shapeOf = (scalar: Scalar): 'f32x4' | 'i32x4' => (scalar === 'f32' || scalar === 'f16' ? 'f32x4' : 'i32x4')

/** A scalar bool as a lane: all bits, or none. */
const asMask = (c: Context, e: KExpr): void => {
  if (e.type.scalar !== 'bool') {
    pushValue(c, e)
    return
  }
  c.frame.i32(0)
  pushValue(c, e)
  c.frame.emit('i32.sub')
}

/** The bits of a constant of a scalar type, as a lane. */
const laneBits = (scalar: Scalar, x: number): number =>
  scalar === 'f32' || scalar === 'f16' ? floatBits(x) : scalar === 'bool' ? (x !== 0 ? -1 : 0) : x

/** Pushes a scalar in all lanes. */
export const pushSplat = (c: Context, a: KExpr): void => {
  const { frame } = c
  const known = constantOf(a)
  if (known !== undefined) {
    const bits = laneBits(a.type.scalar, known)
    frame.words([bits, bits, bits, bits])
    return
  }
  if (isWordLoad(a)) {
    const region = regionOf(c, a.kind === 'read' ? a.array : a.binding)
    frame.emit('v128.load32_splat', memarg(4, pushAddress(c, region, a.index)))
    return
  }
  if (a.kind === 'ref' && c.spread.has(a.name)) {
    pushValue(c, a)
    return
  }
  asMask(c, a)
  frame.emit(`${shapeOf(a.type.scalar)}.splat`)
}

const pushVector = (c: Context, items: readonly KExpr[]): void => {
  const { frame } = c
  const { scalar } = items[0]!.type
  const known = items.map(constantOf)
  if (known.every((x) => x !== undefined)) {
    frame.words([0, 1, 2, 3].map((i) => laneBits(scalar, known[i] ?? 0)))
    return
  }
  const row = neighboursOf(items)
  if (row) {
    pushNeighbours(c, row)
    return
  }
  asMask(c, items[0]!)
  frame.emit(`${shapeOf(scalar)}.splat`)
  items.slice(1).forEach((item, i) => {
    asMask(c, item)
    frame.emit(`${shapeOf(scalar)}.replace_lane`, [i + 1])
  })
}

/** Whether an expression reads memory: a select must not read on the side that it does not take. */
const reads = (e: KExpr): boolean => e.kind === 'load' || e.kind === 'read' || operandsOf(e).some(reads)

const pushSelect = (c: Context, { cond, a, b, type }: Extract<KExpr, { readonly kind: 'select' }>): void => {
  const { frame } = c
  if (cond.type.width === 1 && (reads(a) || reads(b))) {
    pushValue(c, cond)
    frame.within('if', typeOf(type), () => {
      pushValue(c, a)
      frame.emit('else')
      pushValue(c, b)
    })
    return
  }
  pushValue(c, a)
  pushValue(c, b)
  pushValue(c, cond)
  frame.emit(type.width === 1 ? 'select' : 'v128.bitselect')
}

const bitcastInstruction = (from: Scalar, to: Scalar): Instruction | undefined => {
  if (from === 'f32') return 'i32.reinterpret_f32'
  return to === 'f32' ? 'f32.reinterpret_i32' : undefined
}

const quietNaN = 0x7fc00000

const pushBitcast = (c: Context, a: KExpr, to: Scalar): void => {
  const { frame } = c
  const wide = a.type.width > 1
  if (a.type.scalar !== 'f32' || !c.hasOneNaN) {
    pushValue(c, a)
    const instruction = bitcastInstruction(a.type.scalar, to)
    if (instruction && !wide) frame.emit(instruction)
    return
  }
  const x = held(c, () => pushValue(c, a), typeOf(a.type))
  if (wide) {
    frame.get(x)
    frame.words([quietNaN, quietNaN, quietNaN, quietNaN])
  } else {
    frame.get(x)
    frame.emit('i32.reinterpret_f32')
    frame.i32(quietNaN)
  }
  frame.get(x)
  frame.get(x)
  frame.emit(wide ? 'f32x4.eq' : 'f32.eq')
  frame.emit(wide ? 'v128.bitselect' : 'select')
}

const held = (c: Context, operand: () => void, type: ValueType): number => {
  operand()
  const local = c.frame.local(type)
  c.frame.set(local)
  return local
}

const siteOf = (c: Context, a: KExpr, b?: KExpr): Site => ({
  frame: c.frame,
  wide: a.type.width > 1,
  a: () => pushValue(c, a),
  b: () => {
    if (b) pushValue(c, b)
  },
  isUnary: b === undefined,
  constant: b && constantOf(b),
  call: (name) => callNamed(c, name, a.type.width),
  held: (operand, type) => held(c, operand, type),
})

/** Operations whose result on two f16 is one already. */
const isHalfAlready: ReadonlySet<string> = new Set([
  'neg',
  'abs',
  'floor',
  'ceil',
  'trunc',
  'round',
  'sign',
  'max',
  'min',
])

/** An f16 is held as the f32 of its value. */
const roundHalf = (c: Context, type: KType): void => {
  if (type.scalar !== 'f16') return
  callNamed(c, 'toHalf', type.width)
  callNamed(c, 'fromHalf', type.width)
}

/** Pushes the value of an expression. */
export const pushValue = (c: Context, e: KExpr): void => {
  const { frame } = c
  switch (e.kind) {
    case 'lit':
      if (typeOf(e.type) === 'f32') frame.f32(e.value)
      else frame.i32(e.value)
      return
    case 'ref': {
      const known = c.names.get(e.name)
      invariant(known, `${e.name} is used before it is defined`)
      frame.get(known.local)
      return
    }
    case 'builtin':
      frame.get(e.name === 'gridIndex' ? c.grid : c.invocation)
      return
    case 'word':
      frame.get(c.words)
      frame.emit('i32.load', memarg(4, 4 * e.index))
      return
    case 'unary':
      spellingOf(e.op, e.a.type.scalar)(siteOf(c, e.a))
      if (!isHalfAlready.has(e.op)) roundHalf(c, e.type)
      return
    case 'binary':
      spellingOf(e.op, e.a.type.scalar)(siteOf(c, e.a, e.b))
      if (!isHalfAlready.has(e.op)) roundHalf(c, e.type)
      return
    case 'select':
      pushSelect(c, e)
      return
    case 'cast':
      castSpelling(e.a.type.scalar, e.type.scalar)(siteOf(c, e.a))
      roundHalf(c, e.type)
      return
    case 'bitcast':
      pushBitcast(c, e.a, e.type.scalar)
      return
    case 'splat':
      pushSplat(c, e.a)
      return
    case 'vec':
      pushVector(c, e.items)
      return
    case 'lane': {
      pushValue(c, e.a)
      frame.emit(`${shapeOf(e.type.scalar)}.extract_lane`, [e.lane])
      if (e.type.scalar !== 'bool') return
      frame.i32(1)
      frame.emit('i32.and')
      return
    }
    case 'load':
      pushLoad(c, e.binding, e.index, e.type, e.component)
      return
    case 'read':
      pushLoad(c, e.array, e.index, e.type)
      return
    case 'threefry': {
      for (const a of e.args) pushValue(c, a)
      callNamed(c, 'threefry', e.type.width)
      takeResult(c, 2, e.word, typeOf(e.type))
      return
    }
    case 'apply':
      pushApplied(c, e)
      return
    case 'native':
      pushNative({ frame, push: (a) => pushValue(c, a) }, e)
      return
    case 'call':
      invariant(false, `${e.callee.name} has no WebAssembly: its reference computes it`)
  }
}

/** Applications that share their arguments are one. */
const pushApplied = (c: Context, e: Extract<KExpr, { readonly kind: 'apply' }>): void => {
  const { results } = e.callee
  const known = c.applied.get(e.args)
  if (!known || results.length === 1) {
    for (const a of e.args) pushValue(c, a)
    c.apply(c, e.callee)
    if (results.length === 1) return
  }
  const locals = known ?? results.map((r) => c.frame.local(typeOf(r.type)))
  if (!known) {
    for (const local of [...locals].reverse()) c.frame.set(local)
    c.applied.set(e.args, locals)
  }
  c.frame.get(locals[e.result]!)
}

/** Leaves result number `wanted` of `count` that are on the stack, all of one type. */
const takeResult = ({ frame }: Context, count: number, wanted: number, type: ValueType): void => {
  for (let i = count - 1; i > wanted; i--) frame.emit('drop')
  if (wanted === 0) return
  const kept = frame.local(type)
  frame.set(kept)
  for (let i = 0; i < wanted; i++) frame.emit('drop')
  frame.get(kept)
}
