/** Statements of the Kernel IR as WebAssembly. */
import { kType } from '../../kernel/build-kernel.ts'
import { laneBytes } from '../../kernel/element-bytes.ts'
import type { KExpr, KStmt, KType } from '../../kernel/kernel.ts'
import { type Context, callNamed } from './context.ts'
import { unsigned } from './encode.ts'
import { typeOf } from './frame.ts'
import { pushSplat, pushValue } from './print-expression.ts'
import { memarg, pushAddress, regionOf } from './print-memory.ts'
import { sunk } from './sink.ts'

const declare = (c: Context, name: string, type: KType): number => {
  const known = c.names.get(name)
  if (known) return known.local
  const local = c.frame.local(typeOf(type))
  c.names.set(name, { local, type })
  return local
}

const pushZero = ({ frame }: Context, type: KType): void => {
  const kind = typeOf(type)
  if (kind === 'v128') frame.words([0, 0, 0, 0])
  else if (kind === 'f32') frame.f32(0)
  else frame.i32(0)
}

/** Stores a value at an element of a binding or an array. */
const store = (c: Context, name: string, index: KExpr, value: KExpr): void => {
  const { frame } = c
  const region = regionOf(c, name)
  const { scalar, width } = region.element
  const offset = pushAddress(c, region, index)
  if (scalar === 'f16') {
    storeHalves(c, value, offset)
    return
  }
  pushValue(c, value)
  const bytes = laneBytes(scalar)
  if (width === 1) frame.emit(scalar === 'f32' ? 'f32.store' : 'i32.store', memarg(bytes, offset))
  else if (width === 4) frame.emit('v128.store', memarg(16, offset))
  else {
    const held = frame.local('v128')
    const address = frame.local('i32')
    frame.set(held)
    frame.tee(address)
    frame.get(held)
    frame.emit('v128.store64_lane', memarg(8, offset), [0])
    if (width === 2) return
    frame.get(address)
    frame.get(held)
    frame.emit('v128.store32_lane', memarg(4, offset + 8), [2])
  }
}

/** Lanes of f16 are stored one by one; the address is on the stack. */
const storeHalves = (c: Context, value: KExpr, offset: number): void => {
  const { frame } = c
  const { width } = value.type
  pushValue(c, value)
  callNamed(c, 'toHalf', width)
  if (width === 1) {
    frame.emit('i32.store16', memarg(2, offset))
    return
  }
  const [halves, address] = [frame.local('v128'), frame.local('i32')]
  frame.set(halves)
  frame.set(address)
  for (let l = 0; l < width; l++) {
    frame.get(address)
    frame.get(halves)
    frame.emit('i32x4.extract_lane', [l])
    frame.emit('i32.store16', memarg(2, offset + 2 * l))
  }
}

/** A loop that is left where `test` pushes 0, tested before each turn. */
const loopWhile = (c: Context, test: () => void, body: () => void): void => {
  const { frame } = c
  frame.within('block', 'none', () => {
    test()
    frame.emit('i32.eqz')
    frame.emit('br_if', unsigned(0))
    frame.within('loop', 'none', () => {
      body()
      test()
      frame.emit('br_if', unsigned(0))
    })
  })
}

/** Counts the local `counter` up to what `to` pushes. */
export const countTo = (c: Context, counter: number, to: () => void, step: number, body: () => void): void => {
  const { frame } = c
  const test = (): void => {
    frame.get(counter)
    to()
    frame.emit('i32.lt_u')
  }
  loopWhile(c, test, () => {
    body()
    frame.get(counter)
    frame.i32(step)
    frame.emit('i32.add')
    frame.set(counter)
  })
}

/** Statements in a block of their own, which sees what has been applied around it. */
export const printStatements = (c: Context, body: readonly KStmt[]): void => {
  const inner = { ...c, applied: new Map(c.applied) }
  for (const s of sunk(body)) printStatement(inner, s)
}

const printStatement = (c: Context, s: KStmt): void => {
  const { frame } = c
  switch (s.kind) {
    case 'let': {
      const { type } = s.value
      const isSpread = c.spread.has(s.name)
      if (isSpread) pushSplat(c, s.value)
      else pushValue(c, s.value)
      frame.set(declare(c, s.name, isSpread ? kType(type.scalar, 4) : type))
      return
    }
    case 'var':
      if (s.init) pushValue(c, s.init)
      else pushZero(c, s.type)
      frame.set(declare(c, s.name, s.type))
      return
    case 'assign':
      pushValue(c, s.value)
      frame.set(c.names.get(s.name)!.local)
      return
    case 'store':
      store(c, s.binding, s.index, s.value)
      return
    case 'write':
      store(c, s.array, s.index, s.value)
      return
    case 'for': {
      pushValue(c, s.from)
      const counter = declare(c, s.name, s.from.type)
      frame.set(counter)
      countTo(
        c,
        counter,
        () => pushValue(c, s.to),
        s.step,
        () => printStatements(c, s.body),
      )
      return
    }
    case 'if':
      pushValue(c, s.cond)
      frame.within('if', 'none', () => {
        printStatements(c, s.then)
        if (s.else.length === 0) return
        frame.emit('else')
        printStatements(c, s.else)
      })
      return
    case 'barrier':
      // The workgroups of the CPU profile have one invocation.
      return
  }
}
