/** The helper functions a kernel needs, collected while it is printed and emitted once each, in the order of the table. */
import { invariant } from '../../src/lang/errors.ts'
import type { KType } from '../kernel.ts'
import { type BasicName, basicHelpers } from './helpers-basic.ts'
import { type ErfName, erfHelpers } from './helpers-erf.ts'
import { type ExpName, expHelpers } from './helpers-exp.ts'
import { type GammaName, gammaHelpers } from './helpers-gamma.ts'
import { type LogName, logHelpers } from './helpers-log.ts'
import { type TrigName, trigHelpers } from './helpers-trig.ts'
import { type Helper, type Helpers, helperName, lanes } from './lanes.ts'

export type HelperName = BasicName | ExpName | LogName | TrigName | ErfName | GammaName

const table: Helpers<HelperName> = {
  ...basicHelpers,
  ...expHelpers,
  ...logHelpers,
  ...trigHelpers,
  ...erfHelpers,
  ...gammaHelpers,
}
const helpers: Readonly<Record<string, Helper>> = table
const order: readonly string[] = Object.keys(table)

/** Names of all helpers, in the order of emission. */
export const helperNames: readonly HelperName[] = order as readonly HelperName[]

/** Collects helpers by width; `text` prints them. */
export interface Prelude {
  /** The function's name at a width; from now on it is part of the text. */
  readonly use: (name: HelperName, width: KType['width']) => string
  readonly text: () => string
}

const functionText = (name: string, width: KType['width']): string => {
  const helper = helpers[name]
  invariant(helper, `no helper ${name}`)
  const t = lanes(width)
  const [signature, ...body] = helper.text(t)
  const struct = helper.result
    ? `struct ${t.fn(name[0]!.toUpperCase() + name.slice(1))} { ${helper.result(t).join(', ')} }\n`
    : ''
  return `${struct}fn ${t.fn(name)}${signature} {\n${body.map((line) => `  ${line}\n`).join('')}}\n`
}

/** An empty collection. */
export const makePrelude = (): Prelude => {
  const used = new Set<string>()
  const need = (name: string, width: KType['width']): void => {
    const key = `${name} ${helpers[name]?.scalarOnly ? 1 : width}`
    if (used.has(key)) return
    used.add(key)
    for (const other of helpers[name]?.uses ?? []) need(other, width)
  }
  return {
    use: (name, width) => {
      need(name, width)
      return helperName(name, helpers[name]?.scalarOnly ? 1 : width)
    },
    text: () =>
      order
        .flatMap((name) =>
          ([1, 2, 3, 4] as const).filter((w) => used.has(`${name} ${w}`)).map((w) => functionText(name, w)),
        )
        .join('\n'),
  }
}
