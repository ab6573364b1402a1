/** Instructions of the target that kernel functions use: what they do with NaN is up to them. */
import { invariant } from '../../../src/lang/errors.ts'
import type { KExpr } from '../../kernel/kernel.ts'
import type { Frame } from './frame.ts'

type Native = Extract<KExpr, { readonly kind: 'native' }>

/** Where an instruction is printed. */
interface Site {
  readonly frame: Frame
  readonly push: (e: KExpr) => void
}

/** The smaller or greater of ordinary operands: one instruction, where `min` and `max` of NaN and zeros take eight. */
const pushExtreme = ({ frame, push }: Site, { op, args: [a, b] }: Native): void => {
  push(a!)
  push(b!)
  if (a!.type.width > 1) {
    frame.emit(op === 'min' ? 'f32x4.pmin' : 'f32x4.pmax')
    return
  }
  const [x, y] = [frame.local('f32'), frame.local('f32')]
  frame.set(y)
  frame.set(x)
  frame.get(y)
  frame.get(x)
  frame.get(op === 'min' ? y : x)
  frame.get(op === 'min' ? x : y)
  frame.emit('f32.lt')
  frame.emit('select')
}

/** 1.5·2^23: added to a whole number below 2^22, it leaves that number in the lowest bits. */
const shifter = 0x4b400000

const pushWhole = ({ frame, push }: Site, x: KExpr): void => {
  push(x)
  if (x.type.width === 1) {
    frame.emit('i32.trunc_sat_f32_s')
    return
  }
  frame.words([shifter, shifter, shifter, shifter])
  frame.emit('f32x4.add')
  frame.words([shifter, shifter, shifter, shifter])
  frame.emit('i32x4.sub')
}

/** Instructions of one name for scalars and vectors of floats. */
const plainNative: ReadonlySet<string> = new Set(
  'add sub mul div neg abs sqrt floor ceil trunc eq ne lt le gt ge'.split(' '),
)

/** Pushes the result of an instruction. */
export const pushNative = (site: Site, e: Native): void => {
  const { frame, push } = site
  const { op, args } = e
  const wide = args[0]!.type.width > 1
  if (op === 'min' || op === 'max') {
    pushExtreme(site, e)
    return
  }
  if (op === 'wholeToI32') {
    pushWhole(site, args[0]!)
    return
  }
  for (const a of args) push(a)
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
