/** For the first day and the prompt: values of expressions at once, by the interpreter or on a device, and `jit`. */

import type { Profile } from '../../passes/profile.ts'
import { arrayDTypes, type DType, type HostArray } from '../lang/dtype.ts'
import { flattenResult, flattenTree, isHandle, isRecord, isTensor, type TreeOf, unflattenTree } from '../lang/tree.ts'
import type { Output } from '../lang/types/output.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import type { Argument } from '../runtime/argument.ts'
import { type Device, standingDevice } from '../runtime/device.ts'
import { openDevice, profileOf } from '../runtime/open-device.ts'
import { compileFor, type Loaded, orThrow, spec, toPromise } from './compile.ts'
import { constantOf, type HostTensor, hostTensor } from './host.ts'
import { type CompileOptions, demandCompile, demandDevice } from './options.ts'
import type { ColumnLike, Given, JitArguments, ResultsOf, SpecsFor, TensorsOf } from './tree-types.ts'

let shared: Promise<Device> | undefined

/**
 * The device that `evaluate` and `jit` use: opened at the first need, anew after a loss or a failure. Rejects with NoAdapter.
 * @example
 * (await T.defaultDevice()) === (await T.defaultDevice()) // => true
 */
export const defaultDevice = (): Promise<Device> => {
  shared = standingDevice(shared, () => openDevice())
  return shared
}

/** The profile to plan for where `portable`, whose plans all GPUs share, is not for this device. */
const ownProfile = (device: Device): Profile | undefined => (device.gpu ? undefined : profileOf(device))

/**
 * The value of an expression (or a tree of them) computed on the default device: shape, dtype and elements on the host.
 * Rejects with a TensorloomError.
 * @example
 * await T.evaluate(T.add(T.tensor([1, 2]), 3)) // => { shape: [2], dtype: 'i32', data: [4, 5] }
 */
export const evaluate = async <R>(tree: R): Promise<TreeOf<R, HostTensor>> => {
  const { leaves, shape } = flattenResult(tree, 'the tree itself')
  const device = await defaultDevice()
  const program = orThrow(compileFor(ownProfile(device), () => leaves, [], { name: 'evaluate' }))
  const loaded = await toPromise(program.load(device))
  const results = (await loaded.run()) as readonly { readonly read: () => Promise<HostArray> }[]
  const hosts = await Promise.all(leaves.map(async (x, i) => hostTensor(x.shape, x.dtype, await results[i]!.read())))
  return unflattenTree(shape, hosts) as TreeOf<R, HostTensor>
}

type Leaf = ColumnLike | HostTensor | Tensor | Output

const isLeaf = (x: unknown): x is Leaf =>
  typeof x === 'object' &&
  x !== null &&
  'shape' in x &&
  Array.isArray(x.shape) &&
  ('dtype' in x || ('data' in x && ArrayBuffer.isView(x.data)))

const dtypeOf = (x: Leaf): DType => ('dtype' in x ? x.dtype : arrayDTypes[x.data[Symbol.toStringTag]])

/** A leaf as `run` takes it. */
const argumentOf = (x: Leaf): Argument => {
  if (isTensor(x)) return constantOf(x).data
  return 'data' in x ? (x.data as HostArray) : (x as Output)
}

/** What is part of a program, as it is no tensor: options, counts, names. */
type Static = number | boolean | string

const isStatic = (x: unknown): x is Static => typeof x === 'number' || typeof x === 'boolean' || typeof x === 'string'

/** `tree` with `f` of whatever has no parts in it, and what stands at its place in `beside`. */
const mapParts = (tree: unknown, beside: unknown, f: (x: unknown, other: unknown) => unknown): unknown => {
  const at = (key: string | number): unknown => (beside as Readonly<Record<string, unknown>> | undefined)?.[key]
  if (Array.isArray(tree)) return tree.map((x, i) => mapParts(x, at(i), f))
  if (!isRecord(tree) || isLeaf(tree)) return f(tree, beside)
  return Object.fromEntries(Object.entries(tree).map(([k, x]) => [k, mapParts(x, at(k), f)]))
}

/** Options under which some of what a program gives stays on the device. */
export type KeepOptions = CompileOptions &
  ({ readonly donate: readonly number[] } | { readonly keep: readonly string[] | true })

type Jit = {
  <A extends readonly unknown[], R>(
    f: (...args: A) => R,
    options: KeepOptions,
  ): (...args: { readonly [K in keyof A]: JitArguments<A[K]> }) => Promise<ResultsOf<R>>
  <A extends readonly unknown[], R>(
    f: (...args: A) => R,
    options?: CompileOptions,
  ): (...args: { readonly [K in keyof A]: JitArguments<A[K]> }) => Promise<TreeOf<R, HostTensor>>
}

/** What a program gave, on the host. */
const onHost = async (result: unknown): Promise<unknown> => {
  const { leaves, shape } = flattenTree(result, isHandle)
  const hosts = await Promise.all(leaves.map(async (x) => hostTensor(x.shape, x.dtype, await x.read())))
  return unflattenTree(shape, hosts)
}

/**
 * `f` compiled at the first call for each structure, shapes and dtypes of its arguments, run on the default device, its
 * results read back. Columns of data (`{ shape, data }`) go in as they are. Numbers, booleans and strings among the arguments
 * are part of the program, which is compiled for each of their values.
 *
 * With `donate` or `keep` nothing is read back: it gives what `run` of a compiled program gives, handles, and what is donated or
 * kept stays on the device. A loop of training needs no more: `const learn = T.jit(step, { donate: [0] })`. Rejects with a
 * TensorloomError.
 * @example
 * const scale = T.jit((x: T.Tensor, by: number) => T.mul(x, by))
 * (await scale(T.tensor([1, 2]), 3)).data // => [3, 6]
 * const add = T.jit((sum: T.Tensor, xs: T.Tensor) => T.add(sum, T.sum(xs)), { donate: [0] })
 * const one = await add(T.tensor(0), { shape: [2], data: Int32Array.of(1, 2) })
 * await (await add(one, { shape: [1], data: Int32Array.of(4) })).item() // => 7
 */
export const jit: Jit = ((f: (...args: readonly unknown[]) => unknown, options: CompileOptions = {}) => {
  demandCompile('jit', f, options)
  const programs = new Map<string, Promise<Loaded>>()
  const named = { ...options, name: options.name ?? (f.name || 'program') }
  const stays = options.donate !== undefined || options.keep !== undefined
  const keep = (key: string, loading: Promise<Loaded>): Promise<Loaded> => {
    programs.set(key, loading)
    return loading
  }
  return async (...args: readonly unknown[]) => {
    const statics: Static[] = []
    const tensors = mapParts(args, undefined, (x) => {
      if (!isStatic(x)) return x
      statics.push(x)
      return undefined
    })
    const { leaves, shape } = flattenTree(tensors, isLeaf)
    const key = JSON.stringify([
      shape,
      leaves.map((x) => [dtypeOf(x), x.shape]),
      statics.map((x) => [typeof x, Object.is(x, -0) ? '-0' : `${x}`]),
    ])
    const program = (...traced: readonly unknown[]): unknown =>
      f(...(mapParts(args, traced, (x, tensor) => (isStatic(x) ? x : tensor)) as readonly unknown[]))
    const device = await defaultDevice()
    const fresh = async (): Promise<Loaded> => {
      const specs = unflattenTree(
        shape,
        leaves.map((x) => spec(x.shape, dtypeOf(x))),
      ) as readonly unknown[]
      return toPromise(
        orThrow(compileFor(ownProfile(device), program as never, specs, named)).load(device),
      ) as Promise<Loaded>
    }
    const made = await programs.get(key)?.catch(() => undefined)
    const loaded = made?.device === device ? made : await keep(key, fresh())
    const result = await loaded.run(...(unflattenTree(shape, leaves.map(argumentOf)) as never[]))
    return stays ? result : onHost(result)
  }
}) as Jit

/**
 * `f` compiled for what `device` grants and loaded there: for scripts that keep their state on the device and run many
 * steps. Arguments and options are those of `compile`. Rejects with a TensorloomError.
 * @example
 * const count = await T.compileOn(await T.defaultDevice(), (n) => T.add(n, 1), [T.spec([])], { donate: [0] })
 * const two = await count.run(await count.run(0))
 * await two.read() // => [2]
 */
export const compileOn = async <
  const A extends readonly unknown[],
  R,
  F extends readonly unknown[] = TensorsOf<A> & readonly unknown[],
>(
  device: Device,
  f: (...args: F) => R,
  specs: A & NoInfer<SpecsFor<F>>,
  options: CompileOptions = {},
): Promise<Loaded<Given<A, F>, R>> => {
  demandCompile('compileOn', f, options)
  demandDevice('compileOn', device)
  return toPromise(orThrow(compileFor<Given<A, F>, R>(profileOf(device), f, specs, options)).load(device))
}
