/** The table of functions: each is made once for a width, from one definition. */
import { invariant } from '../../../src/lang/errors.ts'
import { widths } from '../build-kernel.ts'
import type { KFunction, KType } from '../kernel.ts'
import { type BasicName, basicFunctions } from './basic.ts'
import { type Definitions, makeFunction } from './body.ts'
import { type ErfName, erfFunctions } from './erf.ts'
import { type ExpName, expFunctions } from './exp.ts'
import { type GammaName, gammaFunctions } from './gamma.ts'
import { type HalfName, halfFunctions } from './half.ts'
import { type IntegerName, integerFunctions } from './integer.ts'
import { type LogName, logFunctions } from './log.ts'
import { type SubnormalName, subnormalFunctions } from './subnormal.ts'
import { type TrigName, trigFunctions } from './trig.ts'

export type FunctionName =
  | BasicName
  | IntegerName
  | ExpName
  | LogName
  | TrigName
  | ErfName
  | GammaName
  | HalfName
  | SubnormalName

const table: Definitions<FunctionName> = {
  ...basicFunctions,
  ...integerFunctions,
  ...expFunctions,
  ...logFunctions,
  ...trigFunctions,
  ...erfFunctions,
  ...gammaFunctions,
  ...halfFunctions,
  ...subnormalFunctions,
}

/** Names of all functions, in the order in which they are printed. */
export const functionNames: readonly FunctionName[] = Object.keys(table) as FunctionName[]

type Width = KType['width']

/** `exp`, `exp_4` (`exp4` could be another function): the name at a width. */
export const nameAt = (name: string, width: Width): string => (width === 1 ? name : `${name}_${width}`)

const made = { device: new Map<string, KFunction>(), keep: new Map<string, KFunction>() }

/** The function at a width (one for scalars: at width 1), made once; `keep`: preserves subnormal numbers on devices that flush them. */
export const kernelFunction = (name: FunctionName, width: Width, keep = false): KFunction => {
  const definition = table[name]
  invariant(definition, `no function ${name}`)
  const own = definition.scalarOnly ? 1 : width
  const key = nameAt(name, own)
  const known = made[keep ? 'keep' : 'device'].get(key)
  if (known) return known
  const find = (callee: string, at: Width): KFunction => kernelFunction(callee as FunctionName, at, keep)
  const f = makeFunction(key, definition, own, keep, find)
  made[keep ? 'keep' : 'device'].set(key, f)
  return f
}

const order = new Map(functionNames.flatMap((name) => widths.map((w) => nameAt(name, w))).map((name, i) => [name, i]))

/** The place of a function among all, by its name. */
export const placeOf = (f: KFunction): number => order.get(f.name) ?? -1
