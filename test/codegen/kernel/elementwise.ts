/** Kernels that apply elementwise ops to whole arrays, many ops in one kernel, at width 1 or 4. */
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { Binding, KExpr, Kernel, KStmt, Scalar } from '../../../codegen/kernel/kernel.ts'
import type { PrintOptions } from '../../../codegen/targets/wgsl/print-module.ts'
import type { BinaryOp, UnaryOp } from '../../../src/lang/ir.ts'
import { runWasm } from '../run-wasm.ts'
import { runOnDevice } from '../run-wgsl.ts'

/** One result: an expression over the operands (already loaded). */
export interface Column {
  readonly name: string
  readonly of: (xs: readonly KExpr[]) => KExpr
}

/** Ops whose results are bools. */
export const predicates: ReadonlySet<string> = new Set(['eq', 'lt', 'le', 'isNan', 'isInf'])

/** One column an op, on as many operands as there are. */
export const columnsOf = (ops: readonly (UnaryOp | BinaryOp)[]): readonly Column[] =>
  ops.map((op) => ({
    name: op,
    of: (xs) => (xs.length === 1 ? k.unary(op as UnaryOp, xs[0]!) : k.binary(op as BinaryOp, xs[0]!, xs[1]!)),
  }))

const threads = 64

/** A kernel of n elements (a multiple of 4·64): inputs x0, x1 … of `inputs`, all results as 32-bit words in one array, op by op. */
export const elementwiseKernel = (
  columns: readonly Column[],
  inputs: readonly Scalar[],
  n: number,
  width: 1 | 4,
): Kernel => {
  const stored = (s: Scalar): Scalar => (s === 'bool' ? 'u32' : s)
  const ins: readonly Binding[] = inputs.map((s, i) => ({
    name: `x${i}`,
    element: k.kType(stored(s), width),
    access: 'read',
  }))
  const out: Binding = { name: 'out', element: k.kType('u32', width), access: 'read_write' }
  const count = n / width
  const i = k.ref('i')
  const body: KStmt[] = [
    k.letStmt('i', k.add(k.mul(k.builtin('gridIndex'), k.u32(threads)), k.builtin('localIndex'))),
    ...ins.map((b, j) => k.letStmt(`v${j}`, inputs[j] === 'bool' ? k.cast(k.load(b, i), 'bool') : k.load(b, i))),
    ...columns.map((c, j) => {
      const y = c.of(ins.map((_, m) => k.ref(`v${m}`, k.kType(inputs[m]!, width))))
      const word = y.type.scalar === 'bool' ? k.cast(y, 'u32') : k.bitcast(y, 'u32')
      return k.store(out, k.add(k.u32(j * count), i), word)
    }),
  ]
  return {
    name: columns.map((c) => c.name).join(' '),
    workgroupSize: threads,
    bindings: [...ins, out],
    arrays: [],
    body,
  }
}

/** How columns are applied: by WGSL on the shared device, unless by WebAssembly. */
export interface ApplyOptions extends PrintOptions {
  readonly target?: 'wgsl' | 'wasm'
}

/** Applies all columns to the inputs (padded with their first element) one array of words per column. */
export const apply = async (
  columns: readonly Column[],
  inputs: readonly { readonly scalar: Scalar; readonly words: Uint32Array }[],
  width: 1 | 4,
  perKernel = 4,
  options: ApplyOptions = {},
): Promise<ReadonlyMap<string, Uint32Array>> => {
  const length = inputs[0]!.words.length
  const n = Math.ceil(length / 256) * 256
  const padded = inputs.map(({ words }) => {
    const w = new Uint32Array(n).fill(words[0]!)
    w.set(words)
    return w.buffer
  })
  const results = new Map<string, Uint32Array>()
  for (let at = 0; at < columns.length; at += perKernel) {
    const group = columns.slice(at, at + perKernel)
    const kernel = elementwiseKernel(
      group,
      inputs.map((x) => x.scalar),
      n,
      width,
    )
    const given = [...padded, new ArrayBuffer(n * 4 * group.length)]
    const workgroups = n / width / threads
    const buffers =
      options.target === 'wasm'
        ? runWasm(kernel, workgroups, given)
        : await runOnDevice(kernel, workgroups, given, options)
    const words = new Uint32Array(buffers.at(-1)!)
    for (const [j, c] of group.entries()) results.set(c.name, words.slice(j * n, j * n + length))
  }
  return results
}
