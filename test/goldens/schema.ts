/** The golden files' schema, and their numbers as host values: the one place that reads JSON. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allocate, type DType, type HostArray } from '../../src/lang/dtype.ts'
import type { Value } from '../../src/lang/primitive.ts'

/** A number, or one of the strings "nan", "inf", "-inf" (or an integer past 2^53). */
export type Entry = number | string | boolean

/** A tensor as the files write it: row-major flat data. */
export interface GoldenTensor {
  readonly name?: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly Entry[]
}

/** An allowed difference: `|got - want| <= atol + rtol * |want|`. */
export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

/** One case of one op. */
export interface GoldenCase {
  readonly op: string
  readonly id: string
  readonly inputs: readonly GoldenTensor[]
  readonly attrs: Readonly<Record<string, unknown>>
  readonly outputs: readonly GoldenTensor[]
  readonly gradSeed: readonly (readonly Entry[] | null)[] | null
  readonly grads: readonly (Omit<GoldenTensor, 'dtype'> | null)[] | null
  readonly tol: Tolerance
  readonly computedIn?: string
  readonly tags?: readonly string[]
}

/** One training run of a model. */
export interface GoldenRun {
  readonly id: string
  readonly optimizer: Readonly<Record<string, unknown>> & { readonly name: string }
  readonly schedule: (Readonly<Record<string, unknown>> & { readonly name: string }) | null
  readonly lrs: readonly number[]
  readonly losses: readonly (number | readonly number[])[]
  readonly finalParams: readonly Omit<GoldenTensor, 'dtype'>[]
  readonly finalBuffers: readonly Omit<GoldenTensor, 'dtype'>[]
  readonly tol: { readonly loss: Tolerance; readonly params: Tolerance }
}

/** A model and its runs, which all start from the same parameters. */
export interface GoldenModel {
  readonly model: string
  readonly hyper: Readonly<Record<string, unknown>>
  readonly steps: number
  readonly params: readonly GoldenTensor[]
  readonly buffers: readonly GoldenTensor[]
  readonly batches: readonly (readonly GoldenTensor[])[]
  readonly runs: readonly GoldenRun[]
}

/** A file of op cases under its area's name, or of trajectories. */
export type GoldenFile =
  | { readonly area: string; readonly kind: 'cases'; readonly cases: readonly GoldenCase[] }
  | { readonly area: string; readonly kind: 'trajectories'; readonly models: readonly GoldenModel[] }

/** All golden files of a folder in the order of their names; `only` picks one area. */
export const readGoldens = (dir: string, only?: string): readonly GoldenFile[] => {
  if (!existsSync(dir)) throw new Error(`no such folder of goldens: ${dir}`)
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, area: areaOf(name) }))
    .filter(({ area }) => only === undefined || area === only)
  if (files.length === 0) throw new Error(`no goldens${only ? ` of the area ${only}` : ''} in ${dir}`)
  return files.map(({ name, area }): GoldenFile => {
    const content: unknown = JSON.parse(readFileSync(join(dir, name), 'utf8'))
    if (!Array.isArray(content)) throw new Error(`${name} is not a list of cases`)
    return content.some((x) => typeof x === 'object' && x !== null && 'runs' in x)
      ? { area, kind: 'trajectories', models: content as readonly GoldenModel[] }
      : { area, kind: 'cases', cases: content as readonly GoldenCase[] }
  })
}

/** `trajectories_dev.json` and its like are one area. */
const areaOf = (name: string): string =>
  name.startsWith('trajectories') ? 'trajectories' : name.replace(/\.json$/, '')

/** A written number; "nan", "inf" and "-inf" are words that `Number` does not know. */
export const numberOf = (x: Entry): number => {
  switch (x) {
    case 'nan':
      return Number.NaN
    case 'inf':
      return Number.POSITIVE_INFINITY
    case '-inf':
      return Number.NEGATIVE_INFINITY
    default:
      return Number(x)
  }
}

/** Our dtype for torch's. There are no 64- and 16-bit integers: i32 holds their values where it can. */
export const dtypeOf = (torch: string): DType => {
  switch (torch) {
    case 'float32':
    case 'float64':
      return 'f32'
    case 'bool':
      return 'bool'
    case 'int8':
      return 'i8'
    case 'uint8':
      return 'u8'
    case 'int16':
    case 'int32':
    case 'int64':
      return 'i32'
    default:
      throw new Error(`goldens: unknown dtype ${torch}`)
  }
}

/** The data of a tensor as an input: floats rounded to float32, as the README says. */
export const inputValue = (t: GoldenTensor): Value => {
  const dtype = dtypeOf(t.dtype)
  return { dtype, shape: t.shape, data: filled(dtype, t.data) }
}

/** A cotangent of the given shape. */
export const seedValue = (shape: readonly number[], data: readonly Entry[]): Value => ({
  dtype: 'f32',
  shape,
  data: filled('f32', data),
})

const filled = (dtype: DType, data: readonly Entry[]): HostArray => {
  const out = allocate(dtype, data.length)
  for (const [i, x] of data.entries()) out[i] = dtype === 'f32' ? Math.fround(numberOf(x)) : numberOf(x)
  return out
}

/** True when every value of an integer tensor is an i32. */
export const fitsI32 = (t: GoldenTensor): boolean =>
  dtypeOf(t.dtype) !== 'i32' || t.data.every((x) => numberOf(x) === (numberOf(x) | 0))
