/** The helper functions of a kernel, collected while it is printed and emitted once each, in the order of the table. */
import { invariant } from '../../../src/lang/errors.ts'
import type { KType } from '../../kernel/kernel.ts'
import { type BasicName, basicHelpers } from './helpers-basic.ts'
import { type ErfName, erfHelpers } from './helpers-erf.ts'
import { type ExpName, expHelpers } from './helpers-exp.ts'
import { type GammaName, gammaHelpers } from './helpers-gamma.ts'
import { type LogName, logHelpers } from './helpers-log.ts'
import { type SubnormalName, subnormalHelpers } from './helpers-subnormal.ts'
import { type TrigName, trigHelpers } from './helpers-trig.ts'
import { type Helper, type Helpers, helperName, type Lanes, lanes } from './lanes.ts'

export type HelperName = BasicName | ExpName | LogName | TrigName | ErfName | GammaName | SubnormalName

const table: Helpers<HelperName> = {
  ...basicHelpers,
  ...expHelpers,
  ...logHelpers,
  ...trigHelpers,
  ...erfHelpers,
  ...gammaHelpers,
  ...subnormalHelpers,
}
const helpers: Readonly<Record<string, Helper>> = table
const order: readonly string[] = Object.keys(table)

/** Names of all helpers, in the order of emission. */
export const helperNames: readonly HelperName[] = order as readonly HelperName[]

/** Collects helpers by width; `text` prints them. */
export interface Prelude {
  /** The function's name at a width, which is then emitted. */
  readonly use: (name: HelperName, width: KType['width']) => string
  /** Whether helpers keep subnormal numbers. */
  readonly keep: boolean
  readonly text: () => string
}

const structName = (name: string, width: KType['width']): string =>
  helperName(name[0]!.toUpperCase() + name.slice(1), width)

const functionText = (name: string, { text, result }: Helper, t: Lanes): string => {
  const [signature, ...body] = text(t)
  const struct = result ? `struct ${t.struct} { ${result(t).join(', ')} }\n` : ''
  return `${struct}fn ${helperName(name, t.width)}${signature} {\n${body.map((line) => `  ${line}\n`).join('')}}\n`
}

/** An empty collection. */
export const makePrelude = (keep = false): Prelude => {
  const texts = new Map<string, string>()
  const use = (name: string, width: KType['width']): string => {
    const helper = helpers[name]
    invariant(helper, `no helper ${name}`)
    const own = helper.scalarOnly ? 1 : width
    const key = helperName(name, own)
    if (!texts.has(key)) {
      texts.set(key, '')
      texts.set(
        key,
        functionText(name, helper, lanes(own, { fn: (n) => use(n, own), struct: structName(name, own), keep })),
      )
    }
    return key
  }
  return {
    use,
    keep,
    text: () =>
      order.flatMap((name) => ([1, 2, 3, 4] as const).flatMap((w) => texts.get(helperName(name, w)) ?? [])).join('\n'),
  }
}
