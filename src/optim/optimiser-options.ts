/** What every optimiser takes, and the stages that these options mean. */
import { demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { demandRate, type Rate } from './learning-rate.ts'
import { maskedStage } from './masked.ts'
import { clipByGlobalNorm } from './norms.ts'
import { type Mask, mask, valuesFor } from './per-leaf.ts'
import { addWeightDecay } from './stages.ts'
import type { Transform } from './transform.ts'

/** What every optimiser takes: gradients are clipped first, if at all; `weightDecay` adds to them (or, for adamw, not). */
export interface CommonOptions {
  readonly weightDecay?: number | undefined
  /** The parameters that decay, as `masked` takes them: all of them unless said. */
  readonly decayMask?: Mask | undefined
  /** Clips the gradients of all parameters together to this norm. */
  readonly clipNorm?: number | undefined
}

export const commonOptions: OptionNames<CommonOptions> = {
  weightDecay: 'finite',
  decayMask: 'own',
  clipNorm: 'positive',
}

/** UsageError for a rate that is none and for options that `names` does not have. */
export const demand = <O>(name: string, rate: Rate, names: OptionNames<O>, options: O): void => {
  demandRate(name, rate)
  demandRecord(name, names, options)
}

/** The options of an optimiser's own stage. */
export const own = <O extends CommonOptions>({
  weightDecay,
  decayMask,
  clipNorm,
  ...rest
}: O): Omit<O, keyof CommonOptions> => rest

/** The stage that clips, if one does. */
export const clipped = ({ clipNorm }: CommonOptions): readonly Transform[] =>
  clipNorm === undefined ? [] : [clipByGlobalNorm(clipNorm)]

/** The stage that adds `weightDecay` (or what an optimiser has for its default) times the parameters, if one does. */
export const decay = (name: string, { weightDecay, decayMask }: CommonOptions, otherwise = 0): readonly Transform[] => {
  const stage = addWeightDecay(weightDecay ?? otherwise)
  if ((weightDecay ?? otherwise) === 0) return []
  if (decayMask === undefined) return [stage]
  return [maskedStage(stage, (params) => valuesFor(name, { ...mask, what: 'decayMask' }, decayMask, params))]
}

/** Both, the decay as an L2 penalty: part of the gradient. */
export const decayed = (name: string, options: CommonOptions): readonly Transform[] => [
  ...clipped(options),
  ...decay(name, options),
]
