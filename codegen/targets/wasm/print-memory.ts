/** Addresses and loads: elements of bindings and arrays in linear memory. */
import { invariant } from '../../../src/lang/errors.ts'
import { add, constantOf, kType, u32 } from '../../kernel/build-kernel.ts'
import { elementBytes, laneBytes } from '../../kernel/element-bytes.ts'
import type { KExpr, KType, Scalar } from '../../kernel/kernel.ts'
import { type Context, callNamed, type Region } from './context.ts'
import { unsigned } from './encode.ts'
import type { Neighbours } from './neighbours.ts'

/** Constants up to this many bytes go into the instruction; memory begins that far above 0, so that no address wraps. */
export const mostOffset = 65536

const log2 = { 2: 1, 4: 2, 8: 3, 16: 4 } as Readonly<Record<number, number>>

/** The immediates of an access to `bytes` bytes. */
export const memarg = (bytes: number, offset: number): readonly number[] => [log2[bytes]!, ...unsigned(offset)]

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
  c.push(c, rest)
  frame.i32(log2[bytes]!)
  frame.emit('i32.shl')
  frame.emit('i32.add')
  const offset = region.offset + (isFolded ? added * bytes : 0)
  if (offset < mostOffset) return offset
  frame.i32(offset)
  frame.emit('i32.add')
  return 0
}

/** The memory of a binding or an array. */
export const regionOf = (c: Context, name: string): Region => {
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

/** Pushes an element of a binding or an array, or one component of it. */
export const pushLoad = (c: Context, name: string, index: KExpr, type: KType, component?: KExpr): void => {
  const { frame } = c
  const region = regionOf(c, name)
  const { scalar } = type
  const offset = pushAddress(c, region, index)
  if (component) {
    c.push(c, component)
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

/** Reads four scalars in a row, wherever they begin. */
export const pushNeighbours = (c: Context, { binding, base, constant }: Neighbours): void => {
  const region = regionOf(c, binding)
  const scalars = { ...region, element: kType(region.element.scalar) }
  const first = u32(constant >>> 0)
  const index = base ? add(base, first) : first
  c.frame.emit('v128.load', memarg(4, pushAddress(c, scalars, index)))
}
