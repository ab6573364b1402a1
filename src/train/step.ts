/** What a step of training is: a pure function of state and batch, compiled or not, that gives the next state and measures. */
import { type HostTensor, isHostTensor } from '../compile/host.ts'
import { read } from '../compile/transfer.ts'
import { constant } from '../lang/build.ts'
import type { HostArray } from '../lang/dtype.ts'
import type { TensorType } from '../lang/ir.ts'
import { flattenTensors, flattenTree, isHandle, isTensor, type TensorTree, unflattenTree } from '../lang/tree.ts'
import type { Output } from '../lang/types/output.ts'
import { type Tensor, tensorOf } from '../lang/types/tensor.ts'

/** What a step gives: the next state, and whatever else; of that, what is a scalar is a measure: the loss, an accuracy. */
export interface Stepped {
  readonly state: unknown
}

/** A compiled program (what `T.compileOn` gives), or a function such as `T.jit` makes. */
export type Step<S, B, R> =
  | ((state: S, batch: B) => R | Promise<R>)
  | { readonly run: (state: S, batch: B) => Promise<R> }

/** `step` as a function. */
export const runnerOf =
  <S, B, R>(step: Step<S, B, R>): ((state: S, batch: B) => Promise<R>) =>
  async (state, batch) =>
    typeof step === 'function' ? step(state, batch) : step.run(state, batch)

/** Numbers by name: the loss, and what else is measured. */
export type Measures = Readonly<Record<string, number>>

/** A result that is a scalar: how to get it. */
const numberOf = (x: unknown): Promise<number> | number | undefined => {
  if (typeof x === 'number') return x
  if (isHandle(x)) return x.shape.length === 0 ? (x as unknown as Output).item() : undefined
  return isHostTensor(x) && x.shape.length === 0 ? x.data[0]! : undefined
}

/** The measures among what a step gave. Whatever is no scalar is no measure. */
export const measuresOf = async (results: object): Promise<Measures> => {
  const numbers = Object.entries(results).flatMap(([name, x]) => {
    const number = name === 'state' ? undefined : numberOf(x)
    return number === undefined ? [] : [(async () => [name, await number] as const)()]
  })
  return Object.fromEntries(await Promise.all(numbers))
}

const isPart = (x: unknown): x is HostTensor => isTensor(x) || isHandle(x) || isHostTensor(x)

const tensorFrom = ({ shape, dtype }: TensorType, data: HostArray): Tensor => tensorOf(constant({ shape, dtype }, data))

/** A state as what can be saved: values of the host, which `T.jit` gives, become tensors. */
export const storable = (state: unknown): TensorTree => {
  const { leaves, shape } = flattenTree(state, isPart)
  return unflattenTree(
    shape,
    leaves.map((x) => (isHostTensor(x) ? tensorFrom(x, x.data) : x)),
  ) as TensorTree
}

/** A state as tensors of the host, which no later run consumes. */
export const hostCopy = async (state: unknown): Promise<TensorTree> => {
  const { leaves, shape } = flattenTensors(storable(state))
  const arrays = (await read(leaves)) as readonly HostArray[]
  return unflattenTree(
    shape,
    leaves.map((x, i) => tensorFrom(x, arrays[i]!)),
  ) as TensorTree
}
