/**
 * Well-formedness of kernels and functions: types agree, names are defined once and before use, stores go to writable bindings,
 * constant indices lie within arrays, barriers are in workgroup-uniform control flow. Checked in tests and between
 * stages.
 */

import { applyType, nativeType } from './build-function.ts'
import { binaryDomain, constantOf, kType, sameType, showType, unaryDomain } from './build-kernel.ts'
import type { KExpr, Kernel, KFunction, KStmt, KType } from './kernel.ts'
import { operandsOf } from './parts.ts'
import { isUsableName } from './reserved-names.ts'

interface Name {
  readonly kind: 'let' | 'var' | 'counter'
  readonly type: KType
}

interface Check {
  readonly kernel: Kernel
  /** Whether it is a function, which has instructions of the target but no memory and no place in a grid. */
  readonly isFunction: boolean
  readonly problems: string[]
  /** Every name ever defined: names are unique per kernel, whatever their scope. */
  readonly all: Set<string>
  /** Names that are not known to be uniform over a workgroup. */
  readonly varying: Set<string>
  readonly written: ReadonlySet<string>
}

const index: KType = { scalar: 'u32', width: 1 }

const checkOf = (kernel: Kernel, isFunction: boolean): Check => ({
  kernel,
  isFunction,
  problems: [],
  all: new Set(),
  varying: new Set(),
  written: new Set(kernel.bindings.filter((b) => b.access === 'read_write').map((b) => b.name)),
})

/** The violations of a function, in order of appearance; none for a well-formed one. */
export const verifyFunction = (f: KFunction): readonly string[] => {
  const check = checkOf({ name: f.name, workgroupSize: 1, bindings: [], arrays: [], body: f.body }, true)
  const names = new Map<string, Name>()
  for (const { name, type } of f.params) {
    declare(check, name)
    names.set(name, { kind: 'let', type })
  }
  block(check, f.body, names, false, f.results)
  return check.problems
}

/** The violations of a kernel, in order of appearance; none for a well-formed one. */
export const verifyKernel = (kernel: Kernel): readonly string[] => {
  const check = checkOf(kernel, false)
  const report = (text: string): void => void check.problems.push(text)
  if (!Number.isInteger(kernel.workgroupSize) || kernel.workgroupSize < 1)
    report(`workgroup of ${kernel.workgroupSize}`)
  for (const d of [...kernel.bindings, ...kernel.arrays]) declare(check, d.name)
  for (const b of kernel.bindings)
    if (b.element.scalar === 'bool') report(`binding ${b.name} of bool: storage holds u32`)
  for (const a of kernel.arrays)
    if (!Number.isInteger(a.size) || a.size < 1) report(`array ${a.name} of ${a.size} elements`)
  // Fixed point: variables are assumed to be uniform until an assignment proves otherwise.
  for (let before = -1; before !== check.varying.size; ) {
    before = check.varying.size
    spread(check, kernel.body, true)
  }
  block(check, kernel.body, new Map(), true)
  return check.problems
}

const declare = (c: Check, name: string): void => {
  if (!isUsableName(name)) c.problems.push(`${name} is no usable name`)
  if (c.all.has(name)) c.problems.push(`${name} is defined twice`)
  c.all.add(name)
}

/** Whether an expression is uniform over a workgroup. */
const isUniform = (c: Check, e: KExpr): boolean => {
  if (e.kind === 'builtin') return e.name === 'gridIndex'
  if (e.kind === 'ref') return !c.varying.has(e.name)
  if (e.kind === 'load' && c.written.has(e.binding)) return false
  if (e.kind === 'read') return false
  return operandsOf(e).every((x) => isUniform(c, x))
}

/** Finds further non-uniform names, given those known so far. */
const spread = (c: Check, body: readonly KStmt[], control: boolean): void => {
  for (const s of body) {
    if (s.kind === 'let' && !isUniform(c, s.value)) c.varying.add(s.name)
    if (s.kind === 'var' && s.init && !isUniform(c, s.init)) c.varying.add(s.name)
    if (s.kind === 'assign' && !(control && isUniform(c, s.value))) c.varying.add(s.name)
    if (s.kind === 'if') {
      const inner = control && isUniform(c, s.cond)
      spread(c, s.then, inner)
      spread(c, s.else, inner)
    }
    if (s.kind === 'for') {
      const inner = control && isUniform(c, s.from) && isUniform(c, s.to)
      if (!inner) c.varying.add(s.name)
      spread(c, s.body, inner)
    }
  }
}

/** Checks statements, and the expressions after them. */
const block = (
  c: Check,
  body: readonly KStmt[],
  outer: ReadonlyMap<string, Name>,
  control: boolean,
  after: readonly KExpr[] = [],
): void => {
  const names = new Map(outer)
  const define = (name: string, what: Name): void => {
    declare(c, name)
    names.set(name, what)
  }
  const expect = (e: KExpr, type: KType, what: string): void => {
    expression(c, e, names)
    if (!sameType(e.type, type)) c.problems.push(`${what} is ${showType(e.type)}, not ${showType(type)}`)
  }
  for (const s of body) {
    switch (s.kind) {
      case 'let':
        expression(c, s.value, names)
        define(s.name, { kind: 'let', type: s.value.type })
        break
      case 'var':
        if (s.init) expect(s.init, s.type, `the first value of ${s.name}`)
        define(s.name, { kind: 'var', type: s.type })
        break
      case 'assign': {
        const target = names.get(s.name)
        if (target?.kind !== 'var')
          c.problems.push(`assignment to ${s.name}, which is ${target ? `a ${target.kind}` : 'not defined'}`)
        expect(s.value, target?.type ?? s.value.type, `the value of ${s.name}`)
        break
      }
      case 'store': {
        const b = c.kernel.bindings.find((x) => x.name === s.binding)
        if (b?.access !== 'read_write')
          c.problems.push(`store to ${s.binding}, which is ${b ? 'read-only' : 'not a binding'}`)
        expect(s.index, index, `the index into ${s.binding}`)
        expect(s.value, b?.element ?? s.value.type, `the value stored to ${s.binding}`)
        break
      }
      case 'write': {
        const a = arrayOf(c, s.array, s.index)
        expect(s.index, index, `the index into ${s.array}`)
        expect(s.value, a?.element ?? s.value.type, `the value written to ${s.array}`)
        break
      }
      case 'for': {
        expect(s.from, index, `the start of ${s.name}`)
        expect(s.to, index, `the end of ${s.name}`)
        if (!Number.isInteger(s.step) || s.step < 1) c.problems.push(`${s.name} steps by ${s.step}`)
        declare(c, s.name)
        const inner = new Map(names).set(s.name, { kind: 'counter', type: index })
        block(c, s.body, inner, control && isUniform(c, s.from) && isUniform(c, s.to))
        break
      }
      case 'if': {
        expect(s.cond, { scalar: 'bool', width: 1 }, 'a condition')
        const inner = control && isUniform(c, s.cond)
        block(c, s.then, names, inner)
        block(c, s.else, names, inner)
        break
      }
      case 'barrier':
        if (!control) c.problems.push('a barrier in control flow that differs between invocations')
    }
  }
  for (const e of after) expression(c, e, names)
}

const arrayOf = (c: Check, name: string, at: KExpr): Kernel['arrays'][number] | undefined => {
  const a = c.kernel.arrays.find((x) => x.name === name)
  const constant = constantOf(at)
  if (!a) c.problems.push(`${name} is not an array`)
  else if (constant !== undefined && constant >= a.size) c.problems.push(`${name}[${constant}] of ${a.size} elements`)
  return a
}

const outsideFunctions: ReadonlySet<KExpr['kind']> = new Set(['builtin', 'word', 'load', 'read', 'call', 'threefry'])

/** Checks an expression bottom-up: operands first, then its own type. */
const expression = (c: Check, e: KExpr, names: ReadonlyMap<string, Name>): void => {
  for (const x of operandsOf(e)) expression(c, x, names)
  if (c.isFunction ? outsideFunctions.has(e.kind) : e.kind === 'native')
    c.problems.push(`${e.kind} ${c.isFunction ? 'in' : 'outside of'} a function`)
  const expected = typeOf(c, e, names)
  if (typeof expected === 'string') c.problems.push(expected)
  else if (!sameType(expected, e.type))
    c.problems.push(`${e.kind} is marked ${showType(e.type)} and gives ${showType(expected)}`)
}

const bool = (width: KType['width']): KType => ({ scalar: 'bool', width })

/** The type that follows from the operands, or the violation. */
const typeOf = (c: Check, e: KExpr, names: ReadonlyMap<string, Name>): KType | string => {
  switch (e.kind) {
    case 'lit':
      return e.type.width === 1 ? e.type : 'a literal of several lanes'
    case 'ref':
      return names.get(e.name)?.type ?? `${e.name} is not defined here`
    case 'builtin':
      return index
    case 'word':
      return e.index < (c.kernel.words ?? 0) ? index : `word ${e.index} of ${c.kernel.words ?? 0}`
    case 'unary':
      if (!unaryDomain[e.op].includes(e.a.type.scalar)) return `${e.op} of ${showType(e.a.type)}`
      return e.op === 'isNan' || e.op === 'isInf' ? bool(e.a.type.width) : e.a.type
    case 'binary':
      if (!sameType(e.a.type, e.b.type) || !binaryDomain[e.op].includes(e.a.type.scalar))
        return `${e.op} of ${showType(e.a.type)} and ${showType(e.b.type)}`
      return e.op === 'eq' || e.op === 'lt' || e.op === 'le' ? bool(e.a.type.width) : e.a.type
    case 'select':
      if (!sameType(e.a.type, e.b.type) || !sameType(e.cond.type, bool(e.a.type.width)))
        return `select by ${showType(e.cond.type)} of ${showType(e.a.type)} and ${showType(e.b.type)}`
      return e.a.type
    case 'cast':
      return { scalar: e.type.scalar, width: e.a.type.width }
    case 'bitcast':
      if ([e.type.scalar, e.a.type.scalar].some((s) => s === 'bool' || s === 'f16'))
        return `bitcast of ${showType(e.a.type)} to ${showType(e.type)}`
      return { scalar: e.type.scalar, width: e.a.type.width }
    case 'splat':
      return e.a.type.width === 1 ? { scalar: e.a.type.scalar, width: e.type.width } : 'a splat of several lanes'
    case 'vec':
      if (e.items.some((x) => x.type.width !== 1 || x.type.scalar !== e.type.scalar) || e.items.length !== e.type.width)
        return `a vector of ${e.items.map((x) => showType(x.type)).join(', ')}`
      return e.type
    case 'lane':
      return e.lane < e.a.type.width ? { scalar: e.a.type.scalar, width: 1 } : `lane ${e.lane} of ${showType(e.a.type)}`
    case 'load':
      if (!sameType(e.index.type, index)) return `an index into ${e.binding} of ${showType(e.index.type)}`
      return elementOf(c.kernel.bindings.find((b) => b.name === e.binding)?.element, e)
    case 'read':
      if (!sameType(e.index.type, index)) return `an index into ${e.array} of ${showType(e.index.type)}`
      return arrayOf(c, e.array, e.index)?.element ?? e.type
    case 'call':
      return e.args.length === e.callee.takes.length &&
        e.args.every((x, i) => sameType(x.type, kType(e.callee.takes[i]!)))
        ? kType(e.callee.gives)
        : `${e.callee.name} of ${e.args.map((x) => showType(x.type)).join(', ')}`
    case 'threefry':
      return e.args.every((x) => x.type.scalar === 'u32' && sameType(x.type, e.args[0].type))
        ? e.args[0].type
        : 'threefry of other than u32'
    case 'native':
      return nativeType(e.op, e.args)
    case 'apply':
      return applyType(e.callee, e.args, e.result)
  }
}

/** The type of a load from a binding with elements of type `element`. */
const elementOf = (element: KType | undefined, e: Extract<KExpr, { readonly kind: 'load' }>): KType | string => {
  if (!element) return `${e.binding} is not a binding`
  if (!e.component) return element
  if (element.width === 1) return `a component of ${e.binding}, whose elements are scalars`
  return sameType(e.component.type, kType('u32'))
    ? kType(element.scalar)
    : `a component of ${e.binding} by ${showType(e.component.type)}`
}
