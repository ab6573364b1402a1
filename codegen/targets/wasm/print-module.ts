/**
 * Kernels → one WebAssembly module. Kernel number i is the exported function `ki(from, to, scratch, words, …bindings)`: it
 * runs the workgroups [from, to) with the addresses of scratch memory, of the dispatch's words and of each binding. The
 * bytes are a pure function of the kernels.
 */
import { alignUp } from '../../../src/lang/dim.ts'
import { invariant } from '../../../src/lang/errors.ts'
import { elementBytes } from '../../kernel/element-bytes.ts'
import type { Kernel, KFunction, LocalArray } from '../../kernel/kernel.ts'
import { hasBarrier } from '../../kernel/parts.ts'
import type { Context, Region } from './context.ts'
import { type Bytes, header, joined, name, section, unsigned, vector } from './encode.ts'
import { makeFrame, typeOf } from './frame.ts'
import { type ValueType, valueType } from './instructions.ts'
import { pushValue } from './print-expression.ts'
import { countTo, printStatements } from './print-statement.ts'
import { spreadLoads } from './spread.ts'

/** Options of printing. */
export interface ModuleOptions {
  /** Whether several threads use the memory. */
  readonly shared?: boolean
}

/** A module, and the bytes of scratch memory that each thread needs (16-byte aligned). */
export interface PrintedModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly scratchBytes: number
}

/** Parameters before the bindings. */
const parameters = { from: 0, to: 1, scratch: 2, words: 3, bindings: 4 } as const

const mostPages = 65536

/** Where the arrays of a kernel lie in scratch memory, and how many bytes they take: first those that begin as zeros. */
interface ArrayLayout {
  readonly regions: readonly (readonly [string, Region])[]
  readonly zeroBytes: number
  readonly bytes: number
}

const layoutArrays = ({ arrays }: Kernel): ArrayLayout => {
  let bytes = 0
  const place = ({ name, element, size }: LocalArray): readonly [string, Region] => {
    const offset = bytes
    bytes = alignUp(bytes + elementBytes(element) * size, 16)
    return [name, { base: parameters.scratch, offset, element }]
  }
  const zero = arrays.filter((a) => a.space !== 'packed').map(place)
  const zeroBytes = bytes
  const packed = arrays.filter((a) => a.space === 'packed').map(place)
  return { regions: [...zero, ...packed], zeroBytes, bytes }
}

/** The number of a kernel function in the module. */
type FunctionIndex = (f: KFunction) => number

/** The most statements of a function that is written where it is applied. */
const mostInline = 24

const isInline = ({ body }: KFunction): boolean => body.length <= mostInline && body.every((s) => s.kind === 'let')

/** Applies functions: engines do not inline calls. */
const applying =
  (functionIndex: FunctionIndex): Context['apply'] =>
  (c, f) => {
    const { frame } = c
    if (!isInline(f)) {
      frame.emit('call', unsigned(functionIndex(f)))
      return
    }
    const locals = f.params.map(({ type }) => ({ local: frame.local(typeOf(type)), type }))
    for (const { local } of [...locals].reverse()) frame.set(local)
    const names = new Map(f.params.map((p, i) => [p.name, locals[i]!]))
    printBody({ ...c, names, spread: new Set(), applied: new Map(), hasOneNaN: false }, f)
  }

const printBody = (c: Context, f: KFunction): void => {
  printStatements(c, f.body)
  for (const result of f.results) pushValue(c, result)
}

const printKernel = (kernel: Kernel, functionIndex: FunctionIndex): Bytes => {
  const { bindings, body, workgroupSize } = kernel
  const frame = makeFrame(parameters.bindings + bindings.length)
  const arrays = layoutArrays(kernel)
  const [grid, invocation] = [frame.local('i32'), frame.local('i32')]
  const own = bindings.map(
    ({ name, element }, i) => [name, { base: parameters.bindings + i, offset: 0, element }] as const,
  )
  const c: Context = {
    frame,
    names: new Map(),
    spread: spreadLoads(body),
    regions: new Map([...own, ...arrays.regions]),
    grid,
    invocation,
    words: parameters.words,
    push: pushValue,
    apply: applying(functionIndex),
    applied: new Map(),
    hasOneNaN: true,
  }
  const once = (): void => {
    if (arrays.zeroBytes > 0) {
      frame.get(parameters.scratch)
      frame.i32(0)
      frame.i32(arrays.zeroBytes)
      frame.emit('memory.fill', [0])
    }
    printStatements(c, body)
  }
  frame.get(parameters.from)
  frame.set(grid)
  countTo(
    c,
    grid,
    () => frame.get(parameters.to),
    1,
    () => {
      if (workgroupSize === 1) {
        once()
        return
      }
      frame.i32(0)
      frame.set(invocation)
      countTo(c, invocation, () => frame.i32(workgroupSize), 1, once)
    },
  )
  return frame.code()
}

const printFunction = (f: KFunction, functionIndex: FunctionIndex): Bytes => {
  const frame = makeFrame(f.params.length)
  const names = new Map(f.params.map(({ name, type }, local) => [name, { local, type }]))
  const none = -1
  const c: Context = {
    frame,
    names,
    spread: new Set(),
    regions: new Map(),
    grid: none,
    invocation: none,
    words: none,
    push: pushValue,
    apply: applying(functionIndex),
    applied: new Map(),
    hasOneNaN: false,
  }
  printBody(c, f)
  return frame.code()
}

/** The module of `kernels`, none of which is a user's text or calls a user's function. */
export const printModule = (kernels: readonly Kernel[], { shared = false }: ModuleOptions = {}): PrintedModule => {
  const types: string[] = []
  const typeBytes: Bytes[] = []
  const typeIndex = (params: readonly ValueType[], results: readonly ValueType[]): number => {
    const key = `${params}>${results}`
    const known = types.indexOf(key)
    if (known >= 0) return known
    const list = (ts: readonly ValueType[]): Bytes => vector(ts.map((t) => [valueType[t]]))
    typeBytes.push(joined([[0x60], list(params), list(results)]))
    return types.push(key) - 1
  }
  const functions = new Map<KFunction, number>()
  const waiting: KFunction[] = []
  const functionIndex = (f: KFunction): number => {
    const known = functions.get(f)
    if (known !== undefined) return known
    const index = kernels.length + functions.size
    functions.set(f, index)
    waiting.push(f)
    return index
  }
  const codes = kernels.map((kernel) => {
    const { workgroupSize, body } = kernel
    invariant(workgroupSize === 1 || !hasBarrier(body), `${kernel.name} has barriers and ${workgroupSize} invocations`)
    return printKernel(kernel, functionIndex)
  })
  for (let f = waiting.shift(); f; f = waiting.shift()) codes.push(printFunction(f, functionIndex))
  const signatures = [
    ...kernels.map(({ bindings }) =>
      typeIndex(
        Array.from({ length: parameters.bindings + bindings.length }, () => 'i32' as const),
        [],
      ),
    ),
    ...[...functions.keys()].map((f) =>
      typeIndex(
        f.params.map((p) => typeOf(p.type)),
        f.results.map((r) => typeOf(r.type)),
      ),
    ),
  ]
  const memory = [...name('env'), ...name('memory'), 0x02, shared ? 0x03 : 0x01, 0x00, ...unsigned(mostPages)]
  const bytes = joined([
    header,
    section(1, vector(typeBytes)),
    section(2, vector([memory])),
    section(3, vector(signatures.map(unsigned))),
    section(7, vector(kernels.map((_, i) => [...name(`k${i}`), 0x00, ...unsigned(i)]))),
    section(10, vector(codes)),
  ])
  return {
    bytes,
    scratchBytes: Math.max(0, ...kernels.map((k) => layoutArrays(k).bytes)),
  }
}
