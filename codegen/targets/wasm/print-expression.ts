/** Expressions of the Kernel IR as WebAssembly: each leaves its value on the stack. */
import { invariant } from '../../../src/lang/errors.ts'
import { constantOf } from '../../kernel/build-kernel.ts'
import { elementBytes, laneBytes } from '../../kernel/element-bytes.ts'
import { type FunctionName, kernelFunction } from '../../kernel/functions/table.ts'
import type { KExpr, KFunction, KType, Scalar } from '../../kernel/kernel.ts'
import { floatBits, unsigned } from './encode.ts'
import { type Frame, typeOf } from './frame.ts'
import type { Instruction, ValueType } from './instructions.ts'
import { castSpelling, type Site, spellingOf } from './spelling.ts'

/** A local and the type of the value that it holds. */
export interface Local {
  readonly local: number
  readonly type: KType
}

/** Memory that a kernel reads and writes: elements from the address in a local on, and a constant offset. */
export interface Region {
  readonly base: number
  readonly offset: number
  readonly element: KType
}

/** What a function is written in. */
export interface Context {
  readonly frame: Frame
  readonly names: Map<string, Local>
  /** Bindings and arrays. */
  readonly regions: ReadonlyMap<string, Region>
  /** The local that holds the number of the workgroup, and the address of the words. */
  readonly grid: number
  readonly invocation: number
  readonly words: number
  /** The number of a kernel function in the module. */
  readonly functionIndex: (f: KFunction) => number
  /** The locals with the results of functions that have been applied, by their arguments. */
  readonly applied: Map<readonly KExpr[], readonly number[]>
  /** Whether the bits of NaN are those of the quiet one: in kernels, where users see them. */
  readonly hasOneNaN: boolean
}

/** Constants up to this many bytes go into the instruction; memory begins that far above 0, so that no address wraps. */
export const mostOffset = 65536

const log2 = { 2: 1, 4: 2, 8: 3, 16: 4 } as Readonly<Record<number, number>>

/** The immediates of an access to `bytes` bytes. */
export const memarg = (bytes: number, offset: number): readonly number[] => [log2[bytes]!, ...unsigned(offset)]

/** The number of a function at the width that its arguments have on the stack. */
const call = (c: Context, f: KFunction): void => c.frame.emit('call', unsigned(c.functionIndex(f)))

/** A kernel function by its name on operands of a width: vectors of two and three take the form of four. */
export const callNamed = (c: Context, name: FunctionName, width: KType['width']): void =>
  call(c, kernelFunction(name, width === 1 ? 1 : 4))

/** Pushes the address of an element and gives the constant that is left to the instruction. */
export const pushAddress = (c: Context, region: Region, index: KExpr): number => {
  const { frame } = c
  const bytes = elementBytes(region.element)
  const known = constantOf(index)
  if (known !== undefined && known * bytes + region.offset < mostOffset) {
    frame.get(region.base)
    return known * bytes + region.offset
  }
  const added = index.kind === 'binary' && index.op === 'add' ? constantOf(index.b) : undefined
  const isFolded = added !== undefined && added * bytes + region.offset < mostOffset
  const rest = isFolded ? (index as Extract<KExpr, { kind: 'binary' }>).a : index
  frame.get(region.base)
  pushValue(c, rest)
  frame.i32(log2[bytes]!)
  frame.emit('i32.shl')
  frame.emit('i32.add')
  const offset = region.offset + (isFolded ? added * bytes : 0)
  if (offset < mostOffset) return offset
  frame.i32(offset)
  frame.emit('i32.add')
  return 0
}

const regionOf = (c: Context, name: string): Region => {
  const region = c.regions.get(name)
  invariant(region, `no memory called ${name}`)
  return region
}

/** Reads one lane at the address on the stack. */
const loadLane = (c: Context, scalar: Scalar, offset: number): void => {
  const bytes = laneBytes(scalar)
  if (scalar === 'f16') {
    c.frame.emit('i32.load16_u', memarg(bytes, offset))
    callNamed(c, 'fromHalf', 1)
  } else c.frame.emit(scalar === 'f32' ? 'f32.load' : 'i32.load', memarg(bytes, offset))
}

const pushLoad = (c: Context, name: string, index: KExpr, type: KType, component?: KExpr): void => {
  const { frame } = c
  const region = regionOf(c, name)
  const { scalar } = type
  const offset = pushAddress(c, region, index)
  if (component) {
    pushValue(c, component)
    frame.i32(log2[laneBytes(scalar)]!)
    frame.emit('i32.shl')
    frame.emit('i32.add')
  }
  if (type.width === 1) {
    loadLane(c, scalar, offset)
    return
  }
  if (scalar !== 'f16') {
    if (type.width === 2) frame.emit('v128.load64_zero', memarg(8, offset))
    else frame.emit('v128.load', memarg(16, offset))
    return
  }
  const address = frame.local('i32')
  frame.set(address)
  frame.words([0, 0, 0, 0])
  for (let l = 0; l < type.width; l++) {
    frame.get(address)
    frame.emit('i32.load16_u', memarg(2, offset + 2 * l))
    frame.emit('i32x4.replace_lane', [l])
  }
  callNamed(c, 'fromHalf', 4)
}

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

const pushSplat = (c: Context, a: KExpr): void => {
  const { frame } = c
  const known = constantOf(a)
  if (known !== undefined) {
    const bits = laneBits(a.type.scalar, known)
    frame.words([bits, bits, bits, bits])
    return
  }
  if (a.kind === 'load' && a.type.scalar !== 'f16' && !a.component) {
    frame.emit('v128.load32_splat', memarg(4, pushAddress(c, regionOf(c, a.binding), a.index)))
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
  asMask(c, items[0]!)
  frame.emit(`${shapeOf(scalar)}.splat`)
  items.slice(1).forEach((item, i) => {
    asMask(c, item)
    frame.emit(`${shapeOf(scalar)}.replace_lane`, [i + 1])
  })
}

/** Whether an expression reads memory: a select must not read on the side that it does not take. */
const reads = (e: KExpr): boolean => {
  switch (e.kind) {
    case 'load':
    case 'read':
      return true
    case 'unary':
    case 'cast':
    case 'bitcast':
    case 'splat':
    case 'lane':
      return reads(e.a)
    case 'binary':
      return reads(e.a) || reads(e.b)
    case 'select':
      return reads(e.cond) || reads(e.a) || reads(e.b)
    case 'vec':
      return e.items.some(reads)
    case 'native':
    case 'apply':
    case 'threefry':
    case 'call':
      return e.args.some(reads)
    case 'lit':
    case 'ref':
    case 'builtin':
    case 'word':
      return false
  }
}

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

/** The smaller or greater of ordinary operands: one instruction, where `min` and `max` of NaN and zeros take eight. */
const pushExtreme = (c: Context, op: 'min' | 'max', [a, b]: readonly KExpr[]): void => {
  const { frame } = c
  if (a!.type.width > 1) {
    pushValue(c, a!)
    pushValue(c, b!)
    frame.emit(`f32x4.p${op}`)
    return
  }
  const [x, y] = [held(c, () => pushValue(c, a!), 'f32'), held(c, () => pushValue(c, b!), 'f32')]
  frame.get(y)
  frame.get(x)
  frame.get(op === 'min' ? y : x)
  frame.get(op === 'min' ? x : y)
  frame.emit('f32.lt')
  frame.emit('select')
}

/** Instructions of one name for scalars and vectors of floats. */
const plainNative: ReadonlySet<string> = new Set(
  'add sub mul div neg abs sqrt floor ceil trunc eq ne lt le gt ge'.split(' '),
)

const pushNative = (c: Context, e: Extract<KExpr, { readonly kind: 'native' }>): void => {
  const { frame } = c
  const { op, args } = e
  const wide = args[0]!.type.width > 1
  if (op === 'min' || op === 'max') {
    pushExtreme(c, op, args)
    return
  }
  for (const a of args) pushValue(c, a)
  if (plainNative.has(op)) frame.emit(`${wide ? 'f32x4' : 'f32'}.${op as 'add'}`)
  else if (op === 'toI32') frame.emit(wide ? 'i32x4.trunc_sat_f32x4_s' : 'i32.trunc_sat_f32_s')
  else if (op === 'toU32') frame.emit(wide ? 'i32x4.trunc_sat_f32x4_u' : 'i32.trunc_sat_f32_u')
  else if (op === 'any' || op === 'all') {
    if (wide) frame.emit(op === 'any' ? 'v128.any_true' : 'i32x4.all_true')
  } else {
    invariant(!wide, `${op} of a vector`)
    frame.emit('i32.clz')
  }
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
      pushNative(c, e)
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
    call(c, e.callee)
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
